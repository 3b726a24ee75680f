def read_note(folder: str, name: str) -> str:
    """The text of the note `name` in the folder, or "" where there is no such note."""
    # BEGIN SOLUTION
    import os

    path = os.path.realpath(os.path.join(folder, name))
    if os.path.dirname(path) != os.path.realpath(folder) or not os.path.isfile(path):
        return ""
    with open(path) as file:
        return file.read()
