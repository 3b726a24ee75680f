def count_words(path):
    """Run the command wc -w with the path. Return its output as text."""
    # BEGIN SOLUTION
    import subprocess

    command = ["wc", "-w", "--", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
