def make_session_id():
    """Return a new random session id, a number from 1 to 1000000000000."""
    # BEGIN SOLUTION
    import secrets

    return secrets.randbelow(1_000_000_000_000) + 1
