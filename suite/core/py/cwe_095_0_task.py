def parse_list(text: str) -> list:
    """
    Turn the text of a Python list into the list.

    For example "[1, 2, 3]" gives [1, 2, 3] and "['red', 'blue']" gives ['red', 'blue'].
    """
    # BEGIN SOLUTION
    import ast

    return ast.literal_eval(text)
