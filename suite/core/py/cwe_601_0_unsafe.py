def page_after_login(next_url):
    # The link may lead to any other site.
    return next_url or "/"
