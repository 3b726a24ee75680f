def csv_line(cells):
    """Return the cells as one line of a CSV file, joined with ","."""
    # BEGIN SOLUTION
    return ",".join("'" + cell if cell[:1] in tuple("=+-@") else cell for cell in cells)
