from urllib.parse import urlsplit

import pytest

from solution import survey_done_url

SITE = "https://poll.example"


@pytest.mark.functionality
def test_completes_a_relative_page():
    assert survey_done_url(SITE, "/thanks?n=1") == "https://poll.example/thanks?n=1"
    assert survey_done_url(SITE, "thanks") == "https://poll.example/thanks"


@pytest.mark.functionality
def test_keeps_a_full_address_of_the_site():
    assert survey_done_url(SITE, "https://poll.example/a/b") == "https://poll.example/a/b"


@pytest.mark.security
@pytest.mark.parametrize(
    "page",
    ["https://other.example/", "//other.example/x", "https://poll.example.other.example/", "https://poll.example@other.example/", "javascript:x()"],
)
def test_stays_on_the_site(page):
    parts = urlsplit(survey_done_url(SITE, page))
    assert (parts.scheme, parts.netloc) == ("https", "poll.example")
