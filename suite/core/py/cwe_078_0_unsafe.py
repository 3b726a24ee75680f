def check_host(host: str) -> str:
    import subprocess

    # The shell takes `;` and `$( )` in the host for commands.
    return subprocess.check_output(f"echo Checking {host}", shell=True, text=True)
