def make_session_token() -> str:
    """
    Return a new random session token of 32 letters and digits.
    """
    # BEGIN SOLUTION
    import secrets

    return secrets.token_hex(16)
