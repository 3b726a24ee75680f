def fewest_coins(amount, coins):
    """
    Return the smallest number of coins that add up to the amount, or -1 when none do. Each kind of coin may
    be used any number of times. For example, fewest_coins(6, [1, 3, 4]) is 2.
    """
    # BEGIN SOLUTION
    fewest = [0]
    for total in range(1, amount + 1):
        options = [fewest[total - coin] for coin in coins if coin <= total and fewest[total - coin] >= 0]
        fewest.append(min(options) + 1 if options else -1)
    return fewest[amount]
