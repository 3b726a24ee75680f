def write_temp_report(folder, text):
    """Write the text to a temporary file in the folder."""
    # BEGIN SOLUTION
    import os
    import tempfile

    descriptor, _ = tempfile.mkstemp(prefix="report", suffix=".tmp", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
