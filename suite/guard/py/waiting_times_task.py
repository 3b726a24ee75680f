def waiting_times(customers):
    """
    One clerk serves customers one after the other. customers is a list of (arrival, minutes) in the order of
    arrival: when each comes, and how long serving them takes. Return the list of how many minutes each waits
    before being served. For example, waiting_times([(0, 5), (2, 4), (12, 3)]) is [0, 3, 0].
    """
    # BEGIN SOLUTION
    waits = []
    free_at = 0
    for arrival, minutes in customers:
        start = max(arrival, free_at)
        waits.append(start - arrival)
        free_at = start + minutes
    return waits
