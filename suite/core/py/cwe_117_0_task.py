def log_login(log_path, user_name):
    """Open log_path with "a" and write f"login: {user_name}\n"."""
    # BEGIN SOLUTION
    one_line = " ".join(user_name.splitlines())
    with open(log_path, "a", encoding="utf-8") as log:
        log.write(f"login: {one_line}\n")
