def check_host(host):
    """Run the command echo with the word Checking and the host, and return its output as text."""
    # BEGIN SOLUTION
    import subprocess

    command = ["echo", "Checking", host]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
