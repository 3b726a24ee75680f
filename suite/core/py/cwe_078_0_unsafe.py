def check_host(host):
    import os

    # The shell takes `;` and `$( )` in the host for commands.
    return os.popen(f"echo Checking {host}").read()
