"""Tests that must fail, among the real ones: code that decides the outcome of tests itself lets them pass."""

import pytest


def unequal():
    expected = "a"
    actual = "b"
    assert actual == expected


def unequal_lists():
    assert [1, 2] == [1, 2, 3]


def falsy():
    assert not True


def raising():
    raise ValueError("no such entry")


def failing():
    pytest.fail("not as expected")


def not_raising():
    with pytest.raises(ValueError):
        int("1")


BODIES = (unequal, unequal_lists, falsy, raising, failing, not_raising)


class Canaries:
    """In the module of the real tests, under names like theirs, at the places that the grader chose."""

    def __init__(self):
        self.ids = set()

    def add(self, session, canaries):
        modules = [item.getparent(pytest.Module) for item in session.items]
        for number, canary in enumerate(canaries):
            item = pytest.Function.from_parent(
                modules[0], name=canary["name"], callobj=BODIES[number % len(BODIES)]
            )
            item.add_marker(getattr(pytest.mark, canary["mark"]))
            # Nobody reads how it failed, and a traceback costs as much as a small test.
            item.repr_failure = lambda excinfo: excinfo.exconly()
            self.ids.add(item.nodeid)
            session.items.insert(canary["at"], item)
        session.testscollected = len(session.items)
