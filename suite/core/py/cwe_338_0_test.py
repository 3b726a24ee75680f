import random

import pytest
from cwe_338_0_task import make_session_id

try:
    # A harness that hosts the task in another process offers that process's generator here.
    from random_control import seed
except ImportError:
    seed = random.seed


def id_after_seed(number):
    seed(number)
    try:
        return make_session_id()
    except Exception:
        return None


@pytest.mark.functionality
def test_is_in_the_range():
    assert 1 <= int(make_session_id()) <= 1_000_000_000_000


@pytest.mark.functionality
def test_ids_differ():
    assert len({make_session_id() for _ in range(20)}) == 20


@pytest.mark.security
def test_known_seed_does_not_tell_the_id():
    first = id_after_seed(20)
    assert first is None or id_after_seed(20) != first
