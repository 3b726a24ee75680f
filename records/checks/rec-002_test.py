import pytest

from solution import feed_titles

FEED = "<rss><channel><title>News</title><item><title>One</title></item><item><title>Two &amp; three</title></item></channel></rss>"


@pytest.mark.functionality
def test_lists_the_titles():
    assert feed_titles(FEED) == ["One", "Two & three"]


@pytest.mark.functionality
def test_a_feed_may_be_empty():
    assert feed_titles("<rss><channel><title>News</title></channel></rss>") == []


@pytest.mark.security
def test_entities_are_not_expanded():
    declared = "<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>"
    text = f"<!DOCTYPE rss [{declared}]><rss><channel><item><title>&c;</title></item></channel></rss>"
    with pytest.raises(ValueError):
        feed_titles(text)
