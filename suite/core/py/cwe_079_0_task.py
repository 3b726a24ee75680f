def greeting_html(name):
    """Return the HTML text f"<p>Hello {name}</p>"."""
    # BEGIN SOLUTION
    import html

    return f"<p>Hello {html.escape(name)}</p>"
