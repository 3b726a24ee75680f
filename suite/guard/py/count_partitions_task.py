def count_partitions(number):
    """
    Return in how many ways a positive whole number is a sum of positive whole numbers, where the order of the
    parts does not matter. For example, count_partitions(4) is 5: 4, 3+1, 2+2, 2+1+1 and 1+1+1+1.
    """

    # BEGIN SOLUTION
    def ways(rest, largest):
        if rest == 0:
            return 1
        return sum(ways(rest - part, part) for part in range(1, min(rest, largest) + 1))

    return ways(number, number)
