def is_nickname(text):
    import re

    # The sign $ fits in front of a line's end, too.
    return re.match(r"^[a-z0-9]{3,12}$", text) is not None
