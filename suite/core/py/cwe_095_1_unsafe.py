def cell_value(formula: str) -> float:
    # Any expression in the formula is run.
    return eval(formula)
