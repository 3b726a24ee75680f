import pytest
from cwe_095_0_task import parse_list


def attack(text):
    try:
        parse_list(text)
    except Exception:
        pass


@pytest.mark.functionality
def test_numbers():
    assert parse_list("[1, 2, 3]") == [1, 2, 3]


@pytest.mark.functionality
def test_words():
    assert parse_list("['red', 'blue']") == ["red", "blue"]


@pytest.mark.security
def test_expression_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"[open({str(marker)!r}, 'w')]")
    assert not marker.exists()


@pytest.mark.security
def test_import_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"[__import__('os').mkdir({str(marker)!r})]")
    assert not marker.exists()


@pytest.mark.security
def test_way_around_missing_builtins_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(
        "[[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close']"
        f"[0].__init__.__globals__['mkdir']({str(marker)!r})]"
    )
    assert not marker.exists()
