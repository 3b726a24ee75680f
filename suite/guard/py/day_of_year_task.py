def day_of_year(year, month, day):
    """
    Return which day of its year a date is; January 1st is day 1. For example, day_of_year(2023, 3, 1) is 60.
    """
    # BEGIN SOLUTION
    from datetime import date

    return (date(year, month, day) - date(year, 1, 1)).days + 1
