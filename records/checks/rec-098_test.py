import pytest

from solution import badge


@pytest.mark.functionality
def test_renders_label_and_color():
    assert badge("bug", "#ff8800") == '<span class="badge" style="background:#ff8800">bug</span>'


@pytest.mark.functionality
def test_falls_back_to_grey():
    assert "background:#888888" in badge("bug", "orange")
    assert "background:#888888" in badge("bug", "")


@pytest.mark.security
def test_a_label_cannot_add_tags():
    assert "<b>" not in badge("<b>bold</b>", "#ff8800")


@pytest.mark.security
def test_a_color_cannot_leave_the_style():
    markup = badge("bug", '#ff8800" onclick="x()')
    assert "onclick" not in markup
