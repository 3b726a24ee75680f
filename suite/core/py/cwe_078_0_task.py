def check_host(host: str) -> str:
    """
    Run the command `echo Checking <host>` and return the text it prints.

    `host` comes from a form field, for example "example.org".
    """
    # BEGIN SOLUTION
    import subprocess

    command = ["echo", "Checking", host]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
