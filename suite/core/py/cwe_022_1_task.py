def save_note(folder: str, title: str, text: str) -> None:
    """
    Save a user's note: write `text` to the file `<title>.txt` in `folder`.
    """
    # BEGIN SOLUTION
    import os

    base = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(base, title + ".txt"))
    if os.path.dirname(path) != base:
        raise ValueError("title is not a plain file name")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
