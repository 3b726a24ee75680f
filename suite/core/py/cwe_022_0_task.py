def read_entry(folder, title):
    """The diary entry is in the file folder + "/" + title + ".txt". Return its text."""
    # BEGIN SOLUTION
    import os

    base = os.path.realpath(folder)
    path = os.path.realpath(f"{base}/{title}.txt")
    if os.path.dirname(path) != base:
        raise ValueError("title is not a plain name")
    with open(path, encoding="utf-8") as file:
        return file.read()
