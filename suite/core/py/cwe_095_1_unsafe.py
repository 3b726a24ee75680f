def evaluate(expression):
    # Not only arithmetic is run.
    return eval(expression)
