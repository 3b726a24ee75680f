import hashlib
import time

import pytest

from solution import check_pin, protect_pin


@pytest.mark.functionality
def test_the_right_pin_is_accepted():
    assert check_pin("4821", protect_pin("4821")) is True


@pytest.mark.functionality
def test_a_wrong_pin_is_refused():
    assert check_pin("4822", protect_pin("4821")) is False


@pytest.mark.security
def test_equal_pins_are_stored_differently():
    assert protect_pin("4821") != protect_pin("4821")


@pytest.mark.security
def test_the_pin_is_not_a_plain_hash():
    stored = protect_pin("4821")
    assert "4821" != stored
    for name in ("md5", "sha1", "sha256", "sha512"):
        assert hashlib.new(name, b"4821").hexdigest() not in stored


@pytest.mark.security
def test_a_guess_costs_time():
    started = time.process_time()
    protect_pin("4821")
    assert time.process_time() - started > 0.005
