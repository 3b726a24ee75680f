def attachment_header(name):
    # A line break in the name starts another header.
    return f"Content-Disposition: attachment; filename={name}"
