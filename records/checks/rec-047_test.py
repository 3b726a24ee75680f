import pytest

from solution import reserve_seats


@pytest.mark.functionality
def test_takes_the_seats():
    assert reserve_seats(10, "3") == 7
    assert reserve_seats(3, " 3 ") == 0


@pytest.mark.functionality
@pytest.mark.parametrize("wanted", ["11", "many", "", "2.5"])
def test_refuses_what_is_not_possible(wanted):
    with pytest.raises(ValueError):
        reserve_seats(10, wanted)


@pytest.mark.security
@pytest.mark.parametrize("wanted", ["-3", "0", "-0"])
def test_a_booking_never_adds_seats(wanted):
    with pytest.raises(ValueError):
        reserve_seats(10, wanted)
