def check_host(host):
    """Import os and return the text of os.popen for the command f"echo Checking {host}" with read()."""
    # BEGIN SOLUTION
    import subprocess

    command = ["echo", "Checking", host]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
