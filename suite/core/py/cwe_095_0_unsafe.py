def parse_list(text: str) -> list:
    # Any expression in the text is run.
    return eval(text)
