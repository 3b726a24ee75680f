import pytest

from solution import click_target

PARTNERS = {"books.example", "tea.example"}


@pytest.mark.functionality
def test_forwards_to_a_partner():
    assert click_target("https://books.example/new?id=3", PARTNERS) == "https://books.example/new?id=3"


@pytest.mark.functionality
def test_refuses_plain_http():
    with pytest.raises(ValueError):
        click_target("http://books.example/", PARTNERS)


@pytest.mark.security
@pytest.mark.parametrize(
    "url",
    [
        "https://books.example.other.example/",
        "https://other.example/books.example",
        "https://books.example@other.example/",
        "https://other.example\\@books.example/",
        "https://other.example/?tea.example",
    ],
)
def test_refuses_look_alikes(url):
    with pytest.raises(ValueError):
        click_target(url, PARTNERS)
