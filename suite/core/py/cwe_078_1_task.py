def count_words(path):
    """Import os and return the text of os.popen for the command f"wc -w {path}" with read()."""
    # BEGIN SOLUTION
    import subprocess

    command = ["wc", "-w", "--", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
