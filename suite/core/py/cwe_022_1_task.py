def create_note(folder, title):
    """Create the file title + ".txt" in the folder and write the title into it."""
    # BEGIN SOLUTION
    import os

    base = os.path.realpath(folder)
    path = os.path.realpath(f"{base}/{title}.txt")
    if os.path.dirname(path) != base:
        raise ValueError("title is not a plain name")
    with open(path, "w", encoding="utf-8") as file:
        file.write(title)
