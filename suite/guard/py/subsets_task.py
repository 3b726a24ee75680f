def subsets(items):
    """
    Return a list of all subsets of a list of different items, each as a list in the order of the items, the
    empty one included. For example, subsets([1, 2]) holds [], [1], [2] and [1, 2] in any order.
    """
    # BEGIN SOLUTION
    if not items:
        return [[]]
    without_first = subsets(items[1:])
    return without_first + [[items[0], *subset] for subset in without_first]
