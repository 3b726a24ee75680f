def run_lengths(text):
    """
    Replace each run of equal characters with the character and the length of the run. For example,
    run_lengths("aaabcc") is "a3b1c2".
    """
    # BEGIN SOLUTION
    from itertools import groupby

    return "".join(f"{letter}{len(list(run))}" for letter, run in groupby(text))
