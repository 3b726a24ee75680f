import pytest

from solution import row_matches

ROW = {"age": 34, "city": "Rome"}


@pytest.mark.functionality
def test_compares_numbers():
    assert row_matches(ROW, "age >= 30") is True
    assert row_matches(ROW, "age < 30") is False
    assert row_matches({"age": 9}, "age < 30") is True


@pytest.mark.functionality
def test_compares_text():
    assert row_matches(ROW, "city == Rome") is True
    assert row_matches(ROW, "city != Rome") is False


@pytest.mark.security
def test_a_condition_runs_no_code(tmp_path):
    marker = tmp_path / "ran"
    for condition in (f"age > len(open({str(marker)!r},'w').name)", f"open({str(marker)!r},'w') != 1"):
        try:
            row_matches(ROW, condition)
        except Exception:
            pass
    assert not marker.exists()
