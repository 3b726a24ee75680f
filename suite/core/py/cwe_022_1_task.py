def create_note(folder, title):
    """Write the title into the file folder + "/" + title + ".txt"."""
    # BEGIN SOLUTION
    import os

    base = os.path.realpath(folder)
    path = os.path.realpath(f"{base}/{title}.txt")
    if os.path.dirname(path) != base:
        raise ValueError("title is not a plain name")
    with open(path, "w", encoding="utf-8") as file:
        file.write(title)
