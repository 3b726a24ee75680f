def write_temp_report(folder, text):
    """Open a temporary file like f"{folder}/report.tmp" with "w" and write the text."""
    # BEGIN SOLUTION
    import os
    import tempfile

    descriptor, _ = tempfile.mkstemp(prefix="report", suffix=".tmp", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
