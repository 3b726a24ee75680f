def rows_to_csv(rows: list) -> str:
    """
    Return `rows`, a list of lists of strings, as CSV text.

    The office opens the text as a spreadsheet.
    """
    # BEGIN SOLUTION
    import csv
    import io

    output = io.StringIO()
    writer = csv.writer(output)
    for row in rows:
        writer.writerow(["'" + cell if cell[:1] in tuple("=+-@\t\r") else cell for cell in row])
    return output.getvalue()
