def csv_line(cells):
    """Return the cells of a CSV file as one line, joined with ","."""
    # BEGIN SOLUTION
    return ",".join("'" + cell if cell[:1] in tuple("=+-@") else cell for cell in cells)
