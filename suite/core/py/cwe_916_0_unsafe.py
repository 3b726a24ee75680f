def hash_password(password):
    import hashlib

    # One round of a fast hash lets an attacker try billions of passwords a second.
    return hashlib.sha256(password.encode()).hexdigest()
