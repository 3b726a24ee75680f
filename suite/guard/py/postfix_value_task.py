def postfix_value(text):
    """
    Return the value of an arithmetic expression in postfix notation: whole numbers and the operators +, - and
    *, separated by spaces, where an operator stands behind its two operands. For example, postfix_value("3 4
    + 2 *") is 14.
    """
    # BEGIN SOLUTION
    stack = []
    for part in text.split():
        if part not in {"+", "-", "*"}:
            stack.append(int(part))
            continue
        right = stack.pop()
        left = stack.pop()
        stack.append(left + right if part == "+" else left - right if part == "-" else left * right)
    return stack.pop()
