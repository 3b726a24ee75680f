def longest_rise(numbers):
    """
    Return the length of the longest stretch of neighbouring numbers in which each is greater than the one
    before. For example, longest_rise([5, 1, 2, 4, 3]) is 3, because of 1, 2, 4.
    """
    # BEGIN SOLUTION
    longest = current = 0
    previous = None
    for number in numbers:
        current = current + 1 if previous is not None and number > previous else 1
        longest = max(longest, current)
        previous = number
    return longest
