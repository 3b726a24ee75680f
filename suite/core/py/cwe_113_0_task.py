def attachment_header(name):
    """Return f"Content-Disposition: attachment; filename={name}"."""
    # BEGIN SOLUTION
    plain = "".join(c for c in name if c.isprintable())
    return f"Content-Disposition: attachment; filename={plain}"
