def write_temp_report(folder: str, text: str) -> str:
    import os

    # Everybody knows the name, and may have put a link there.
    path = os.path.join(folder, "report.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path
