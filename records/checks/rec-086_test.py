import pytest

from solution import run_report


def failing(**_params):
    raise RuntimeError("cannot open /srv/data/pay.db as root:hunter2")


@pytest.mark.functionality
def test_returns_the_report():
    assert run_report(lambda year: f"report {year}", {"year": 2024}) == (200, "report 2024")


@pytest.mark.functionality
def test_tells_that_it_failed():
    status, message = run_report(failing, {"year": 2024})
    assert status == 500
    assert len(message) > 10


@pytest.mark.security
def test_the_visitor_sees_no_inner_details():
    message = run_report(failing, {})[1]
    for detail in ("pay.db", "hunter2", "RuntimeError", "Traceback", "/srv"):
        assert detail not in message
