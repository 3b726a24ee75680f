import pytest

from solution import product_card


@pytest.mark.functionality
def test_shows_name_price_and_picture():
    markup = product_card("Blue lamp", 490, "/img/lamp.png")
    assert 'class="card"' in markup
    assert 'src="/img/lamp.png"' in markup
    assert 'alt="Blue lamp"' in markup
    assert "<h3>Blue lamp</h3>" in markup


@pytest.mark.functionality
def test_writes_the_price_with_two_digits():
    assert "<p>4.90</p>" in product_card("Lamp", 490, "/l.png")
    assert "<p>12.05</p>" in product_card("Lamp", 1205, "/l.png")


@pytest.mark.security
def test_a_name_cannot_add_tags():
    assert "<script" not in product_card("<script>x()</script>", 100, "/l.png")


@pytest.mark.security
def test_a_value_cannot_leave_its_attribute():
    assert '" onerror="' not in product_card('a" onerror="x()', 100, "/l.png")
    assert '" onload="' not in product_card("a", 100, '/l.png" onload="x()')
