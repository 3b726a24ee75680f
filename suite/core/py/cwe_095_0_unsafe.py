def parse_list(text):
    # Any expression in the text is run.
    return eval(text)
