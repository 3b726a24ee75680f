def attachment_header(name):
    """Return the HTTP header "Content-Disposition: attachment; filename=" followed by the name."""
    # BEGIN SOLUTION
    plain = "".join(c for c in name if c.isprintable())
    return f"Content-Disposition: attachment; filename={plain}"
