def parse_list(text):
    """The text holds a Python list, for example "[1, 2, 3]". Return the list."""
    # BEGIN SOLUTION
    import ast

    return ast.literal_eval(text)
