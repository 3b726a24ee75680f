def collatz_steps(number):
    """
    Halve an even number; triple an odd number and add one. Return how many such steps lead from the given
    positive number to 1. For example, collatz_steps(6) is 8.
    """
    # BEGIN SOLUTION
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps
