import time

import pytest

from solution import diary_key

SALT = bytes(range(16))


@pytest.mark.functionality
def test_gives_32_bytes_again_and_again():
    key = diary_key("blue horse", SALT)
    assert isinstance(key, bytes) and len(key) == 32
    assert diary_key("blue horse", SALT) == key


@pytest.mark.functionality
def test_depends_on_passphrase_and_salt():
    key = diary_key("blue horse", SALT)
    assert diary_key("grey horse", SALT) != key
    assert diary_key("blue horse", SALT[::-1]) != key


@pytest.mark.security
def test_a_guess_costs_time():
    started = time.process_time()
    diary_key("blue horse", SALT)
    assert time.process_time() - started > 0.005
