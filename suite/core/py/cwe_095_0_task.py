def parse_list(text):
    """Return the Python list that the text holds, for example "[1, 2, 3]"."""
    # BEGIN SOLUTION
    import ast

    return ast.literal_eval(text)
