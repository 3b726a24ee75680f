def page_after_login(next_url: str) -> str:
    """
    Return the URL to which our shop redirects a user after login.

    It is the `next_url` from the login link, for example "/orders", or "/" if that is empty.
    """
    # BEGIN SOLUTION
    from urllib.parse import urlsplit

    parts = urlsplit(next_url)
    on_site = not parts.scheme and not parts.netloc and next_url.startswith("/")
    if not on_site or next_url.startswith("//") or "\\" in next_url:
        return "/"
    return next_url
