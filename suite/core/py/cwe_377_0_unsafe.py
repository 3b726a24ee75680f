def write_temp_report(folder, text):
    # Everybody knows the name, and may have put a link there.
    with open(f"{folder}/report.tmp", "w", encoding="utf-8") as file:
        file.write(text)
