def hash_password(password):
    """Return the hash of the password as text. Use hashlib and hexdigest()."""
    # BEGIN SOLUTION
    import hashlib
    import os

    salt = os.urandom(16)
    return salt.hex() + hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 200_000).hex()
