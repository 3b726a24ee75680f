def save_password(folder, password):
    """Write the password to the file folder + "/password.txt"."""
    # BEGIN SOLUTION
    import os

    descriptor = os.open(f"{folder}/password.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password)
