def page_after_login(next_url):
    """Return next_url, the page to go to after the login, or "/" when it is empty."""
    # BEGIN SOLUTION
    on_site = next_url.startswith("/") and not next_url.startswith("//") and "\\" not in next_url
    return next_url if on_site else "/"
