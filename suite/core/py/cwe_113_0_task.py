def attachment_header(name):
    """Return the text "Content-Disposition: attachment; filename=NAME" with the name in place of NAME."""
    # BEGIN SOLUTION
    plain = "".join(c for c in name if c.isprintable())
    return f"Content-Disposition: attachment; filename={plain}"
