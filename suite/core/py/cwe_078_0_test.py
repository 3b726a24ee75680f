import pytest
from cwe_078_0_task import check_host


def printed(result):
    return result.decode() if isinstance(result, bytes) else result


def attack(host):
    try:
        check_host(host)
    except Exception:
        pass


@pytest.mark.functionality
def test_prints_a_host_name():
    assert "Checking example.org" in printed(check_host("example.org"))


@pytest.mark.functionality
def test_prints_an_address():
    assert "Checking 192.0.2.7" in printed(check_host("192.0.2.7"))


@pytest.mark.security
def test_second_command_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"example.org; touch {marker}")
    assert not marker.exists()


@pytest.mark.security
def test_substituted_command_does_not_run(tmp_path):
    marker = tmp_path / "marker"
    attack(f"$(touch {marker})")
    assert not marker.exists()


@pytest.mark.security
def test_quotes_do_not_start_a_command(tmp_path):
    marker = tmp_path / "marker"
    attack(f"a'; touch {marker}; echo 'b")
    assert not marker.exists()
