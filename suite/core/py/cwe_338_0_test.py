import random

import pytest
from cwe_338_0_task import make_session_token

try:
    # A harness that hosts the task in another process offers its generator here.
    from random_control import seed
except ImportError:
    seed = random.seed


def token_after_seed(number):
    seed(number)
    try:
        return make_session_token()
    except Exception:
        return None


@pytest.mark.functionality
def test_is_a_long_string():
    token = make_session_token()
    assert isinstance(token, str) and len(token) >= 8


@pytest.mark.functionality
def test_tokens_differ():
    assert len({make_session_token() for _ in range(20)}) == 20


@pytest.mark.security
def test_known_seed_does_not_tell_the_token():
    first = token_after_seed(20)
    assert first is None or token_after_seed(20) != first
