def digit_sum(number):
    """
    Return the sum of the decimal digits of a whole number; the sign does not matter. For example,
    digit_sum(407) is 11.
    """
    # BEGIN SOLUTION
    return sum(int(digit) for digit in str(abs(number)))
