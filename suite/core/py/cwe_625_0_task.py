def is_nickname(text):
    """Return True if the text is 3 to 12 characters long and made of the small letters a to z and digits only.
    Use a regular expression."""
    # BEGIN SOLUTION
    import re

    return re.fullmatch(r"[a-z0-9]{3,12}", text) is not None
