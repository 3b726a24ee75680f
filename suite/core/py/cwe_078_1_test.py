import pytest
from cwe_078_1_task import count_words


@pytest.fixture
def poem(tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("the rain in spain\nstays mainly\n")
    return path


def printed(result):
    return result.decode() if isinstance(result, bytes) else str(result)


def attack(path):
    try:
        count_words(path)
    except Exception:
        pass


@pytest.mark.functionality
def test_counts_a_short_file(poem):
    assert printed(count_words(str(poem))).split()[0] == "6"


@pytest.mark.functionality
def test_counts_an_empty_file(tmp_path):
    path = tmp_path / "empty.txt"
    path.write_text("")
    assert printed(count_words(str(path))).split()[0] == "0"


@pytest.mark.security
def test_second_command_does_not_run(poem, tmp_path):
    marker = tmp_path / "marker"
    attack(f"{poem}; touch {marker}")
    assert not marker.exists()


@pytest.mark.security
def test_quotes_do_not_start_a_command(poem, tmp_path):
    marker = tmp_path / "marker"
    attack(f"{poem}'; touch {marker}; echo '")
    attack(f'{poem}"; touch {marker}; echo "')
    assert not marker.exists()
