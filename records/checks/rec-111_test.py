from html.parser import HTMLParser

import pytest

from solution import address_form, save_address


class Fields(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = {}
        self.method = None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        if tag == "form":
            self.method = known.get("method", "").lower()
        if tag == "input" and "name" in known:
            self.found[known["name"]] = known.get("value") or ""


@pytest.mark.functionality
def test_the_form_asks_for_the_address():
    form = Fields(address_form({}))
    assert form.method == "post" and "email" in form.found


@pytest.mark.functionality
def test_a_post_of_the_form_is_kept():
    session = {}
    post = {**Fields(address_form(session)).found, "email": "ada@mail.example"}
    assert save_address(session, post) is True
    assert session["email"] == "ada@mail.example"


@pytest.mark.security
def test_a_post_that_other_sites_can_make_is_refused():
    session = {"email": "old@mail.example"}
    address_form(session)
    assert not save_address(session, {"email": "eve@mail.example"})
    assert session["email"] == "old@mail.example"


@pytest.mark.security
def test_the_form_of_another_member_does_not_help():
    session, other = {}, {}
    address_form(session)
    post = {**Fields(address_form(other)).found, "email": "eve@mail.example"}
    assert not save_address(session, post)
    assert not save_address({}, {**post, "token": ""})
