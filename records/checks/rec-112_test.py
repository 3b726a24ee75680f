import pytest

from solution import reply_count


def post(*replies):
    return {"text": "hm", "replies": list(replies)}


def nested(depth):
    top = post()
    for _ in range(depth):
        top = post(top)
    return top


@pytest.mark.functionality
def test_no_replies():
    assert reply_count(post()) == 0


@pytest.mark.functionality
def test_counts_all_levels():
    assert reply_count(post(post(), post(post(), post(post())))) == 5


@pytest.mark.security
@pytest.mark.parametrize("depth", [5_000, 100_000])
def test_deep_nesting_is_no_trouble(depth):
    assert reply_count(nested(depth)) == depth
