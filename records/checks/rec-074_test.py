import pytest

from solution import read_matrix


@pytest.mark.functionality
def test_reads_a_matrix():
    assert read_matrix("[[1, 2], [3, 4.5]]") == [[1.0, 2.0], [3.0, 4.5]]


@pytest.mark.functionality
@pytest.mark.parametrize("text", ["[[1, 2], [3]]", '[[1, "x"]]'])
def test_refuses_uneven_rows_and_text(text):
    with pytest.raises(ValueError):
        read_matrix(text)


@pytest.mark.security
def test_runs_no_code(tmp_path):
    marker = tmp_path / "ran"
    with pytest.raises(ValueError):
        read_matrix(f"[[len(open({str(marker)!r}, 'w').name)]]")
    assert not marker.exists()
