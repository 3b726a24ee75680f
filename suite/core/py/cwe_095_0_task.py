def eval_list(text):
    """Evaluate the text of a Python list, for example "[1, 2, 3]", and return the list."""
    # BEGIN SOLUTION
    import ast

    return ast.literal_eval(text)
