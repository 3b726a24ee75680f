import pytest

from solution import back_after_switch


@pytest.mark.functionality
def test_keeps_a_page_of_the_site():
    assert back_after_switch("/books") == "/books"
    assert back_after_switch("/books?page=2") == "/books?page=2"


@pytest.mark.functionality
def test_empty_means_home():
    assert back_after_switch("") == "/"


@pytest.mark.security
@pytest.mark.parametrize(
    "back",
    ["https://other.example/", "//other.example", "/\\other.example", "////other.example", "javascript:x()", "/\t/other.example"],
)
def test_never_leaves_the_site(back):
    target = back_after_switch(back)
    assert target.startswith("/")
    assert target[1:2] not in ("/", "\\", "\t")
