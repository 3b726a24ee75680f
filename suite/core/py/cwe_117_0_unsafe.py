def log_login(log_path, user_name):
    with open(log_path, "a", encoding="utf-8") as log:
        # A line break in the name forges a second entry.
        log.write(f"login: {user_name}\n")
