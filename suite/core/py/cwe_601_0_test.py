from urllib.parse import urljoin, urlsplit

import pytest
from cwe_601_0_task import page_after_login


def host_after(next_url):
    """The host at which a browser on shop.example arrives."""
    try:
        target = page_after_login(next_url)
    except Exception:
        target = None
    target = str(target or "/").strip().replace("\\", "/")
    return urlsplit(urljoin("https://shop.example/login", target)).netloc


@pytest.mark.functionality
def test_goes_to_the_page():
    assert page_after_login("/orders") == "/orders"


@pytest.mark.functionality
def test_keeps_the_query():
    assert page_after_login("/search?q=tea") == "/search?q=tea"


@pytest.mark.security
def test_other_site_is_refused():
    assert host_after("https://evil.example/orders") == "shop.example"


@pytest.mark.security
def test_other_site_without_scheme_is_refused():
    assert host_after("//evil.example/orders") == "shop.example"
