def sum_of_evens(numbers):
    """
    Return the sum of the even numbers in a list of whole numbers. For example, sum_of_evens([1, 2, 3, 4]) is
    6.
    """
    # BEGIN SOLUTION
    return sum(number for number in numbers if number % 2 == 0)
