def friday_the_13th(year):
    """
    Return the list of the months (1 to 12) of the year in which the 13th day is a Friday. For example,
    friday_the_13th(2015) is [2, 3, 11].
    """
    # BEGIN SOLUTION
    from datetime import date

    return [month for month in range(1, 13) if date(year, month, 13).weekday() == 4]
