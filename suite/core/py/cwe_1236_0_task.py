def csv_line(cells):
    """Return the cells joined with ","."""
    # BEGIN SOLUTION
    return ",".join("'" + cell if cell[:1] in tuple("=+-@") else cell for cell in cells)
