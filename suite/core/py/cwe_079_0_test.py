import pytest
from cwe_079_0_task import comment_html


def attack(author, comment):
    try:
        return str(comment_html(author, comment)).lower()
    except Exception:
        return ""


@pytest.mark.functionality
def test_shows_author_and_comment():
    page = comment_html("Ann", "Nice article")
    assert "Ann" in page and "Nice article" in page


@pytest.mark.functionality
def test_uses_the_wanted_elements():
    page = comment_html("Bob", "Thank you")
    assert "<p" in page and "</p>" in page
    assert "<b>" in page and "</b>" in page


@pytest.mark.security
def test_script_in_the_comment_is_text():
    assert "<script" not in attack("Eve", "<script>alert(1)</script>")


@pytest.mark.security
def test_tag_in_the_author_is_text():
    assert "<img" not in attack("<img src=x onerror=alert(1)>", "hi")
