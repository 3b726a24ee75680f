def read_entry(folder, title):
    # The title may climb out of the folder.
    with open(f"{folder}/{title}.txt", encoding="utf-8") as file:
        return file.read()
