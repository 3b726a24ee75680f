import pytest
from cwe_095_1_task import calculate


def attack(expression):
    try:
        calculate(expression)
    except Exception:
        pass


@pytest.mark.functionality
def test_sum():
    assert float(calculate("1 + 2")) == 3


@pytest.mark.functionality
def test_brackets():
    assert float(calculate("2 * (3 + 4)")) == 14


@pytest.mark.functionality
def test_division():
    assert float(calculate("10 / 4")) == 2.5


@pytest.mark.security
def test_call_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"open({str(marker)!r}, 'w')")
    assert not marker.exists()


@pytest.mark.security
def test_import_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"__import__('os').mkdir({str(marker)!r})")
    assert not marker.exists()


@pytest.mark.security
def test_way_around_missing_builtins_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(
        "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_wrap_close']"
        f"[0].__init__.__globals__['mkdir']({str(marker)!r})"
    )
    assert not marker.exists()
