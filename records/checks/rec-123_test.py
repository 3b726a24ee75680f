from urllib.parse import urlsplit

import pytest

from solution import login_address


def attempt(server):
    try:
        return urlsplit(login_address(server)).scheme
    except ValueError:
        return "refused"


@pytest.mark.functionality
@pytest.mark.parametrize("server", ["books.example", "books.example:8443"])
def test_a_bare_name(server):
    parts = urlsplit(login_address(server))
    assert (parts.netloc, parts.path) == (server, "/api/session")


@pytest.mark.functionality
def test_a_whole_address():
    assert login_address("https://books.example/") == "https://books.example/api/session"


@pytest.mark.security
def test_a_bare_name_is_reached_encrypted():
    assert attempt("books.example") == "https"


@pytest.mark.security
def test_an_unencrypted_address_is_not_used():
    assert attempt("http://books.example") in ("https", "refused")
