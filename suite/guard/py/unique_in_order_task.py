def unique_in_order(items):
    """
    Return a list with each different item once, in the order in which they first appear. For example,
    unique_in_order([3, 1, 3, 2, 1]) is [3, 1, 2].
    """
    # BEGIN SOLUTION
    return list(dict.fromkeys(items))
