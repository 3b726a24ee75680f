def greeting_html(name):
    """Return an HTML paragraph that greets the name, for example <p>Hello Ann</p>."""
    # BEGIN SOLUTION
    import html

    return f"<p>Hello {html.escape(name)}</p>"
