import pytest

from solution import continue_shopping


@pytest.mark.functionality
def test_returns_to_known_sections():
    assert continue_shopping("/shop/lamps") == "/shop/lamps"
    assert continue_shopping("/offers") == "/offers"


@pytest.mark.functionality
def test_other_pages_lead_to_the_shop():
    assert continue_shopping("/admin") == "/shop"
    assert continue_shopping("") == "/shop"


@pytest.mark.security
@pytest.mark.parametrize(
    "address",
    ["https://other.example/shop", "//other.example/shop", "/\\other.example/shop", "///shop.example/shop", "/shop.other.example"],
)
def test_a_foreign_site_is_never_opened(address):
    assert continue_shopping(address) == "/shop"
