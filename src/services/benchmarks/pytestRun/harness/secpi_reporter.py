"""pytest plugins: which tests there are, the outcome of each exactly once, a limit for each, and tests that must fail."""

import linecache
import secrets
import signal

import pytest

MARKS = ("functionality", "security")


def mark_of(item):
    return next((mark for mark in MARKS if item.get_closest_marker(mark)), "unmarked")


def name_of(nodeid):
    """The id within the test file."""
    return nodeid.split("::", 1)[-1]


def stable_names(items):
    """
    Ids by pytest's own. Those of one parametrised test are numbered, in the order of the items: pytest names them after
    their values, which may hold the time of day or a fresh key.
    """
    names = {}
    counts = {}
    for item in items:
        name = name_of(item.nodeid)
        if hasattr(item, "callspec"):
            base = name.split("[", 1)[0]
            number = counts.get(base, 0)
            counts[base] = number + 1
            name = f"{base}[{number}]"
        names[item.nodeid] = name
    return names


class Reporter:
    def __init__(self, results, canaries):
        self._results = results
        self._canaries = canaries
        self._phases = {}
        self._names = {}

    def pytest_configure(self, config):
        for mark in MARKS:
            config.addinivalue_line("markers", f"{mark}: counts for this half of the verdict")
        config.addinivalue_line("markers", "timeout(seconds): left to the harness")

    def pytest_collectreport(self, report):
        if report.failed:
            self._results.send({"type": "broken", "why": last_error(report.longreprtext)})

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        # Functional tests first: a sample that dies under an attack was functional before.
        items.sort(key=lambda item: MARKS.index(mark_of(item)) if mark_of(item) in MARKS else len(MARKS))

    def pytest_collection_finish(self, session):
        self._names = stable_names(session.items)
        tests = [{"id": self._names[item.nodeid], "mark": mark_of(item)} for item in session.items]
        for path in {str(item.path) for item in session.items}:
            keep_source(path)
        self._results.send({"type": "collected", "tests": tests})
        if session.config.option.collectonly or session.testsfailed:
            return
        # The grader compares what was collected, then gives the word.
        order = self._results.next_order()
        self._canaries.add(session, order["canaries"])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session):
        """What the log says is about the real tests."""
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        for reports in terminal.stats.values() if terminal else ():
            reports[:] = [report for report in reports if getattr(report, "nodeid", None) not in self._canaries.ids]

    def pytest_runtest_logreport(self, report):
        phases = self._phases.setdefault(report.nodeid, [])
        phases.append(report)
        if report.when == "teardown":
            call = [phase for phase in phases if phase.when == "call"]
            message = {
                "type": "test",
                "id": self._names.get(report.nodeid, name_of(report.nodeid)),
                "outcome": outcome_of(phases),
                "callPassed": any(phase.outcome == "passed" for phase in call),
            }
            self._results.send(message)


def keep_source(path):
    """For tracebacks: the file may be taken away before the tests run."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # Without a time stamp it is not compared with the file.
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)


def outcome_of(phases):
    """Passed means passed: neither skipped nor an expected failure, in all three phases."""
    if any("secpi_timeout" in dict(phase.user_properties) for phase in phases):
        return "timeout"
    if any(phase.outcome == "failed" for phase in phases):
        return "failed"
    if any(phase.outcome == "skipped" or hasattr(phase, "wasxfail") for phase in phases):
        return "skipped"
    return "passed"


def last_error(text):
    lines = text.strip().splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (errors or lines or [""])[-1][:300]


class TestTimeout(BaseException):
    """Not an Exception: a test that awaits any error of the sample does not take this for one."""


class Limit:
    """A wall limit for each test together with its fixtures."""

    def __init__(self, seconds):
        self._seconds = seconds
        self._item = None
        # Within a phase of the test: an alarm in between would hit pytest itself.
        self._inside = False

    def _expired(self, *_):
        if not self._inside:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            return
        self._item.user_properties.append(("secpi_timeout", True))
        # Again, should the test catch it or its teardown hang.
        signal.setitimer(signal.ITIMER_REAL, 1)
        raise TestTimeout(f"the test took longer than {self._seconds:g} s")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        self._item = item
        signal.signal(signal.SIGALRM, self._expired)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self):
        return (yield from self._phase())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self):
        return (yield from self._phase())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self):
        return (yield from self._phase())

    def _phase(self):
        self._inside = True
        try:
            return (yield)
        finally:
            self._inside = False


class Folders:
    """pytest names a test's folder after the test, which would tell the sample that it is being attacked."""

    @pytest.fixture
    def tmp_path(self, tmp_path_factory):
        return tmp_path_factory.mktemp(secrets.token_hex(4), numbered=False)
