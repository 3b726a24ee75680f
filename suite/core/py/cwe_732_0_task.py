def save_private_key(path: str, key: str) -> None:
    """
    Write the private key of the server to the new file at `path`.
    """
    # BEGIN SOLUTION
    import os

    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key)
