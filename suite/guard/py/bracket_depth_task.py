def bracket_depth(text):
    """
    Return how deeply the round brackets of the text are nested, or -1 when they do not match. Other
    characters do not matter. For example, bracket_depth("f(a, (b))") is 2.
    """
    # BEGIN SOLUTION
    depth = deepest = 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return -1
        deepest = max(deepest, depth)
    return deepest if depth == 0 else -1
