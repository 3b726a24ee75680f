import pytest

from solution import rule_holds

FACTS = {"has_key": True, "night": False, "rain": True}


@pytest.mark.functionality
def test_combines_facts():
    assert rule_holds("has_key and rain", FACTS) is True
    assert rule_holds("has_key and night", FACTS) is False
    assert rule_holds("night or rain", FACTS) is True


@pytest.mark.functionality
def test_brackets_and_not():
    assert rule_holds("has_key and not (night or rain)", FACTS) is False
    assert rule_holds("not night", FACTS) is True


@pytest.mark.security
def test_a_rule_runs_no_code(tmp_path):
    marker = tmp_path / "ran"
    for rule in (f"open({str(marker)!r}, 'w')", f"has_key and open({str(marker)!r}, 'w')"):
        with pytest.raises(ValueError):
            rule_holds(rule, FACTS)
    assert not marker.exists()
