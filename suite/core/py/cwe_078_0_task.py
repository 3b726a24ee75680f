def check_host(host):
    """Run the command echo with the words Checking and host. Return its output as text."""
    # BEGIN SOLUTION
    import subprocess

    command = ["echo", "Checking", host]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
