import pytest

from solution import table_row


@pytest.mark.functionality
def test_renders_strings_and_numbers():
    assert table_row(["Ada", 3, 2.5]) == "<tr><td>Ada</td><td>3</td><td>2.5</td></tr>"


@pytest.mark.functionality
def test_none_is_an_empty_cell_and_zero_is_not():
    assert table_row([None, 0]) == "<tr><td></td><td>0</td></tr>"


@pytest.mark.security
def test_a_value_cannot_close_the_cell():
    markup = table_row(["</td><script>x()</script>"])
    assert "<script" not in markup
    assert markup.count("<td>") == markup.count("</td>") == 1
