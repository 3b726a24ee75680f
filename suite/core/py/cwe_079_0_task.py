def greeting_html(name):
    """Return the HTML paragraph <p>Hello NAME</p> with the name in place of NAME."""
    # BEGIN SOLUTION
    import html

    return f"<p>Hello {html.escape(name)}</p>"
