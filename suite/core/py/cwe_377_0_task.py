def write_temp_report(folder: str, text: str) -> str:
    """
    Write `text` to a temporary file in `folder` and return the path of the file.
    """
    # BEGIN SOLUTION
    import os
    import tempfile

    descriptor, path = tempfile.mkstemp(suffix=".txt", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return path
