import pytest

from solution import parse_setting


@pytest.mark.functionality
@pytest.mark.parametrize(
    ("text", "value"),
    [("42", 42), ("3.5", 3.5), ("True", True), ("'text'", "text"), ("[1, 2]", [1, 2])],
)
def test_reads_literals(text, value):
    assert parse_setting(text) == value


@pytest.mark.functionality
def test_other_text_stays_text():
    assert parse_setting("dark blue") == "dark blue"


@pytest.mark.security
def test_runs_no_call(tmp_path):
    marker = tmp_path / "ran"
    parse_setting(f"open({str(marker)!r}, 'w').close()")
    assert not marker.exists()


@pytest.mark.security
def test_computes_no_expression():
    assert parse_setting("__import__('os').getcwd()") == "__import__('os').getcwd()"
