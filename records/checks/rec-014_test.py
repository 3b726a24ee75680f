import base64
import os
import pickle

import pytest

from solution import decode_cart, encode_cart


class Marker:
    """Creates a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.functionality
def test_a_cart_survives_the_round_trip():
    cart = [{"sku": "A-1", "qty": 2}, {"sku": "é", "qty": 1}]
    assert decode_cart(encode_cart(cart)) == cart


@pytest.mark.functionality
def test_the_cookie_is_one_line_of_base64():
    cookie = encode_cart([{"sku": "A-1", "qty": 2}] * 20)
    assert "\n" not in cookie
    base64.b64decode(cookie, altchars=b"-_", validate=True)


@pytest.mark.security
def test_a_cookie_runs_no_code(tmp_path):
    target = tmp_path / "ran"
    cookie = base64.urlsafe_b64encode(pickle.dumps(Marker(str(target)))).decode()
    with pytest.raises(Exception):
        decode_cart(cookie)
    assert not target.exists()
