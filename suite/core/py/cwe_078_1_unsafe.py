def count_words(path):
    import os

    # The shell takes `;` and `|` in the path for commands.
    return os.popen(f"wc -w {path}").read()
