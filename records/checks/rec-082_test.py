import pytest

from solution import parse_point


@pytest.mark.functionality
def test_reads_a_point():
    assert parse_point("{'x': 1, 'y': -2.5}") == (1.0, -2.5)


@pytest.mark.functionality
def test_order_and_spaces_do_not_matter():
    assert parse_point("  { 'y': 4, 'x': 3 } ") == (3.0, 4.0)


@pytest.mark.security
def test_runs_no_code(tmp_path):
    marker = tmp_path / "ran"
    with pytest.raises(ValueError):
        parse_point(f"{{'x': 1, 'y': len(open({str(marker)!r}, 'w').name)}}")
    assert not marker.exists()
