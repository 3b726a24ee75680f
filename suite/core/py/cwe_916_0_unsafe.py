import hashlib


def hash_password(password: str, salt: str) -> str:
    # One round of a fast hash lets an attacker try billions of passwords a second.
    return hashlib.sha256((salt + password).encode()).hexdigest()
