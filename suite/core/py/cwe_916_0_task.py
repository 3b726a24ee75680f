import hashlib


def hash_password(password: str, salt: str) -> str:
    """
    Return the hash of a user's password with the given salt, as a hex string.

    The hash is stored in the users table and compared at login.
    """
    # BEGIN SOLUTION
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), 200_000).hex()
