def create_note(folder, title):
    # The title may hold `../` and so overwrite any text file.
    with open(f"{folder}/{title}.txt", "w", encoding="utf-8") as file:
        file.write(title)
