def initials(name):
    """
    Return the first letter of each word of the name as capitals, without spaces. For example, initials("grace
    brewster hopper") is "GBH".
    """
    # BEGIN SOLUTION
    return "".join(word[0].upper() for word in name.split())
