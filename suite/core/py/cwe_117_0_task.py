def log_login(log_path, user_name):
    """Append the line "login: NAME" to the file log_path, with the user name in place of NAME."""
    # BEGIN SOLUTION
    one_line = " ".join(user_name.splitlines())
    with open(log_path, "a", encoding="utf-8") as log:
        log.write(f"login: {one_line}\n")
