"""
Runs a row's own tests with the code they test, in one process, as the tests expect. What is reported carries the key
that came on stdin; whatever else the code prints is not read.
"""

import asyncio
import inspect
import json
import os
import sys

sys.path.append("/toolchain/site")

TESTS = "/tests/test_solution.py"


class Reporter:
    def __init__(self):
        self._key = sys.stdin.readline().strip()
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        self._passed = {}
        self._why = {}
        self._open = set()

    def send(self, message):
        self._out.write(self._key + " " + json.dumps(message) + "\n")
        self._out.flush()

    def pytest_collectreport(self, report):
        if report.failed:
            self.send({"type": "broken", "why": last_line(report.longreprtext)})

    def pytest_runtest_logreport(self, report):
        # What is skipped, or may fail, is not reported, and missed if it was expected.
        if report.outcome == "skipped" or hasattr(report, "wasxfail"):
            self._open.add(report.nodeid)
        passed = report.outcome == "passed"
        if not passed:
            self._why.setdefault(report.nodeid, last_line(report.longreprtext) or report.outcome)
        self._passed[report.nodeid] = self._passed.get(report.nodeid, True) and passed
        if report.when == "teardown" and report.nodeid not in self._open:
            outcome = "passed" if self._passed[report.nodeid] else "failed"
            name = report.nodeid.split("::", 1)[1]
            self.send({"type": "test", "id": name, "outcome": outcome, "why": self._why.get(report.nodeid, "")})


def last_line(text):
    lines = text.strip().splitlines()
    errors = [line[1:].strip() for line in lines if line.startswith("E ")]
    return (errors or lines or [""])[0][:300]


class AsyncTests:
    """Tests that are coroutines, which pytest leaves to a plugin that is not here."""

    def __init__(self, hookimpl):
        self.pytest_pyfunc_call = hookimpl(tryfirst=True)(self.call)

    @staticmethod
    def call(pyfuncitem):
        if not inspect.iscoroutinefunction(pyfuncitem.obj):
            return None
        names = pyfuncitem._fixtureinfo.argnames
        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
        return True


def main():
    reporter = Reporter()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import pytest
    import secpi_pytest

    # The code under test sees its own folder and the standard library, as it would anywhere.
    sys.path[0] = "/sample"
    status = pytest.main(secpi_pytest.options(TESTS), plugins=[reporter, AsyncTests(pytest.hookimpl)])
    reporter.send({"type": "end", "status": int(status)})
    os._exit(0)


main()
