def greeting_html(name):
    # Tags in the name become part of the page.
    return f"<p>Hello {name}</p>"
