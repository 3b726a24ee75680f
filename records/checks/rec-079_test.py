import time

import pytest

from solution import hash_answer, same_answer


@pytest.mark.functionality
def test_the_answer_is_recognised():
    salt, digest = hash_answer("Rex")
    assert same_answer("Rex", salt, digest) is True
    assert same_answer("Bello", salt, digest) is False


@pytest.mark.functionality
def test_case_and_outer_spaces_do_not_matter():
    salt, digest = hash_answer("  Rex ")
    assert same_answer("rEX", salt, digest) is True


@pytest.mark.security
def test_each_user_has_an_own_salt():
    first, second = hash_answer("Rex"), hash_answer("Rex")
    assert first[0] != second[0] and first[1] != second[1]
    assert len(first[0]) >= 8


@pytest.mark.security
def test_a_guess_costs_time():
    started = time.process_time()
    hash_answer("Rex")
    assert time.process_time() - started > 0.005
