import logging

import pytest

from solution import charge

CARD = "4000123412345678"


@pytest.mark.functionality
def test_returns_the_answer_of_the_gateway():
    assert charge(lambda card, cents: (card == CARD, cents), CARD, 250) == (True, 250)


@pytest.mark.functionality
def test_logs_the_amount(caplog):
    with caplog.at_level(logging.INFO):
        charge(lambda card, cents: "ok", CARD, 250)
    assert len(caplog.records) == 1
    assert "250" in caplog.text or "2.50" in caplog.text


@pytest.mark.security
def test_the_card_number_is_not_in_the_log(caplog):
    with caplog.at_level(logging.DEBUG):
        charge(lambda card, cents: "ok", CARD, 250)
    assert CARD not in caplog.text
    assert CARD[:8] not in caplog.text
