def csv_line(cells):
    # A spreadsheet runs a cell that begins with = as a formula.
    return ",".join(cells)
