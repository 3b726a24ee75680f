"""
Prints which tests the checkout has, as one JSON object: by test file its ids and marks, and why a file could not be
collected. Arguments: the checkout as the sandbox sees it, the folder of its tasks.
"""

import json
import os
import sys

MARKS = ("functionality", "security")
SITE = "/toolchain/site"


class Collector:
    def __init__(self, base, reporter):
        self._base = base
        self._reporter = reporter
        self.files = {}
        self.broken = {}

    def pytest_configure(self, config):
        for mark in MARKS:
            config.addinivalue_line("markers", f"{mark}: counts for this half of the verdict")

    def pytest_collectreport(self, report):
        if report.failed:
            name = os.path.relpath(os.path.abspath(report.nodeid.split("::", 1)[0]), self._base)
            errors = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
            self.broken[name] = (errors or ["it cannot be collected"])[-1][:300]

    def pytest_collection_finish(self, session):
        # Named as the harness of the tests names them, which runs one file with its functional tests first.
        files = {}
        for item in session.items:
            files.setdefault(os.path.relpath(str(item.path), self._base), []).append(item)
        for file, items in files.items():
            marks = {item.nodeid: self._reporter.mark_of(item) for item in items}
            items.sort(key=lambda item: (*MARKS, "unmarked").index(marks[item.nodeid]))
            names = self._reporter.stable_names(items)
            self.files[file] = [
                {"id": names[item.nodeid], "mark": marks[item.nodeid]}
                for item in items
                if marks[item.nodeid] in MARKS
            ]


def main():
    home, benchmark = sys.argv[1:]
    out = os.dup(1)
    os.dup2(2, 1)
    sys.path += [SITE, "/harness"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest
    import secpi_reporter

    os.chdir(home)
    base = os.path.join(home, benchmark)
    collector = Collector(base, secpi_reporter)
    options = ["-c", "/dev/null", f"--rootdir={home}", "--noconftest", "-q", "-W", "ignore", "--color=no"]
    options += ["--continue-on-collection-errors", "--collect-only", "-p", "no:cacheprovider", "-k", "not _unsafe"]
    pytest.main([*options, base], plugins=[collector])
    with os.fdopen(out, "w", encoding="utf-8") as answer:
        json.dump({"files": collector.files, "broken": collector.broken}, answer)


main()
