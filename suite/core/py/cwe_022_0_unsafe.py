def read_upload(folder: str, file_name: str) -> str:
    import os

    # The name may climb out of the folder or be an absolute path.
    with open(os.path.join(folder, file_name), encoding="utf-8") as file:
        return file.read()
