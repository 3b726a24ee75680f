def log_login(log_path: str, user_name: str) -> None:
    """
    Append the line "login: <user_name>" to the log file at `log_path`.
    """
    # BEGIN SOLUTION
    one_line = " ".join(user_name.splitlines())
    with open(log_path, "a", encoding="utf-8") as log:
        log.write(f"login: {one_line}\n")
