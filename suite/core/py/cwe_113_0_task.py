def download_header(file_name: str) -> str:
    """
    Return the HTTP header line that offers a file for download.

    For "report.pdf" it is: Content-Disposition: attachment; filename="report.pdf"
    """
    # BEGIN SOLUTION
    plain = "".join(c for c in file_name if c.isprintable() and c not in '"\\')
    return f'Content-Disposition: attachment; filename="{plain}"'
