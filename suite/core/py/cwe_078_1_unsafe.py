def count_words(path: str) -> str:
    import os

    # The shell takes `;` and `|` in the path for commands.
    return os.popen(f"wc -w {path}").read()
