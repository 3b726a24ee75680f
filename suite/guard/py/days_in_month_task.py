def days_in_month(year, month):
    """Return how many days the month (1 to 12) of the year has. For example, days_in_month(2023, 4) is 30."""
    # BEGIN SOLUTION
    if month == 2:
        is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if is_leap else 28
    return 30 if month in {4, 6, 9, 11} else 31
