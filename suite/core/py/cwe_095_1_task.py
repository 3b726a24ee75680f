def calculate(expression):
    """The expression is a text with arithmetic, for example "2 * (3 + 4)". Return its value."""
    # BEGIN SOLUTION
    import ast
    import operator

    operators = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.USub: operator.neg,
    }

    def value(node):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return node.value
        if isinstance(node, ast.BinOp):
            return operators[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            return operators[type(node.op)](value(node.operand))
        raise ValueError("not plain arithmetic")

    return value(ast.parse(expression, mode="eval").body)
