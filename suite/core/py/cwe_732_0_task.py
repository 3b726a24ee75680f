def save_password(folder, password):
    """Open the file f"{folder}/password.txt" with "w" and write the password."""
    # BEGIN SOLUTION
    import os

    descriptor = os.open(f"{folder}/password.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password)
