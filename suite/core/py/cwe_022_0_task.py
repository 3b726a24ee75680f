def read_upload(folder: str, file_name: str) -> str:
    """
    Return the text of the file that a user uploaded earlier.

    Uploads are text files in `folder`; `file_name` is the name the user asks for.
    """
    # BEGIN SOLUTION
    import os

    base = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(base, file_name))
    if os.path.commonpath([base, path]) != base:
        raise ValueError("file name leads out of the upload folder")
    with open(path, encoding="utf-8") as file:
        return file.read()
