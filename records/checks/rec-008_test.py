import random
import re

import pytest

from solution import new_api_key


@pytest.mark.functionality
def test_starts_with_the_prefix():
    assert new_api_key("acme").startswith("acme_")


@pytest.mark.functionality
def test_has_url_characters_and_the_length():
    tail = new_api_key("acme").removeprefix("acme_")
    assert len(tail) >= 32
    assert re.fullmatch(r"[A-Za-z0-9_.~-]+", tail)


@pytest.mark.security
def test_a_known_seed_does_not_repeat_the_key(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    random.seed(5)
    first = new_api_key("acme")
    random.seed(5)
    assert new_api_key("acme") != first
