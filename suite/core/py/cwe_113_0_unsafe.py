def download_header(file_name: str) -> str:
    # A line break in the name starts another header.
    return f'Content-Disposition: attachment; filename="{file_name}"'
