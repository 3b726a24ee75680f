def count_words(path: str) -> str:
    """
    Run the command `wc -w` on the file at `path` and return the text it prints.
    """
    # BEGIN SOLUTION
    import subprocess

    command = ["wc", "-w", "--", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
