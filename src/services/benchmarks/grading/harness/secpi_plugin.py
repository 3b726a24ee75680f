"""pytest plugins: which tests there are, the outcome of each exactly once, and folders that tell nothing."""

import secrets

import pytest

KINDS = ("functionality", "security")


def kind_of(item):
    kinds = [kind for kind in KINDS if item.get_closest_marker(kind)]
    return kinds[0] if len(kinds) == 1 else "unmarked"


def name_of(nodeid):
    """The id within the test file."""
    return nodeid.split("::", 1)[1]


class Reporter:
    def __init__(self, channel, collect_only):
        self._channel = channel
        self._collect_only = collect_only
        self._passed = {}

    def pytest_configure(self, config):
        for kind in KINDS:
            config.addinivalue_line("markers", f"{kind}: counts for this half of the verdict")

    def pytest_collection_modifyitems(self, items):
        # Functional tests first: a sample that dies under an attack was functional before.
        items.sort(key=lambda item: kind_of(item) != "functionality")

    def pytest_collection_finish(self, session):
        tests = [{"id": name_of(item.nodeid), "kind": kind_of(item)} for item in session.items]
        self._channel.send({"type": "collected", "tests": tests})
        if not self._collect_only and not session.testsfailed:
            self._channel.wait_for_start()

    def pytest_runtest_logreport(self, report):
        # Passed means passed: neither skipped nor an expected failure, in all three phases.
        passed = report.outcome == "passed" and not hasattr(report, "wasxfail") and not self._channel.gone
        self._passed[report.nodeid] = self._passed.get(report.nodeid, True) and passed
        if report.when == "teardown":
            outcome = "passed" if self._passed[report.nodeid] else "failed"
            self._channel.send({"type": "test", "id": name_of(report.nodeid), "outcome": outcome})


class Folders:
    """pytest names a test's folder after the test, which would tell the sample that it is being attacked."""

    @pytest.fixture
    def tmp_path(self, tmp_path_factory):
        return tmp_path_factory.mktemp(secrets.token_hex(4), numbered=False)
