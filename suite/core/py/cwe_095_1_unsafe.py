def calculate(expression):
    # Not only arithmetic is run.
    return eval(expression)
