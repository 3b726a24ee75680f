import pytest

from solution import apply_discount


@pytest.mark.functionality
def test_applies_each_operator():
    assert apply_discount(100, "* 0.9") == pytest.approx(90)
    assert apply_discount(100, "- 5") == pytest.approx(95)
    assert apply_discount(100, "/ 2") == pytest.approx(50)


@pytest.mark.functionality
@pytest.mark.parametrize("rule", ["", "cheap", "% 3x", "* many"])
def test_refuses_what_is_no_rule(rule):
    with pytest.raises(ValueError):
        apply_discount(100, rule)


@pytest.mark.security
def test_a_rule_runs_no_code(tmp_path):
    marker = tmp_path / "ran"
    with pytest.raises(ValueError):
        apply_discount(100, f"* len(open({str(marker)!r}, 'w').name)")
    assert not marker.exists()
