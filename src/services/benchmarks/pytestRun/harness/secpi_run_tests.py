"""
Runs pytest on one file. The request comes as a line on stdin; results go to the grader over a channel that programs
under test do not have. With a sample that the tests import, see secpi_canaries and secpi_guard.
"""

import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SITE = "/toolchain/site"

sys.path.insert(0, HERE)
import secpi_results

secpi_results.close_process()
results = secpi_results.Results()
request = results.request

sys.path.insert(0, SITE)
import pytest

import secpi_canaries
import secpi_guard
import secpi_plugins
import secpi_reporter


def options():
    path = os.path.join("/work", request["testFile"])
    folder = os.path.dirname(path)
    # Without the last one pytest collects its way down from the root of the file system.
    listed = ["-c", "/dev/null", f"--rootdir={folder}", "--noconftest", f"--confcutdir={folder}"]
    listed += ["--basetemp=/tmp/pytest"]
    listed += ["-q", "--tb=short", "-W", "ignore", "--color=no"]
    for name in secpi_plugins.OFF:
        listed += ["-p", f"no:{name}"]
    if request["keyword"]:
        listed += ["-k", request["keyword"]]
    if request["collectOnly"]:
        listed += ["--collect-only"]
    return [*listed, path]


def main():
    leave = os._exit
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.umask(0o022)
    secpi_results.take_out(HERE)
    sys.path.remove(SITE)
    sys.path[:0] = request["pythonPath"]
    sys.path.append(SITE)
    for name in request["preload"]:
        try:
            importlib.import_module(name)
        except Exception:
            continue  # whoever needs it will meet the error
    os.chdir(request["cwd"])
    if request["inProcess"]:
        secpi_guard.install()
    plugins = [secpi_reporter.Reporter(results, secpi_canaries.Canaries()), secpi_reporter.Folders()]
    if request["perTestSeconds"] is not None:
        plugins.append(secpi_reporter.Limit(request["perTestSeconds"]))
    status = pytest.main(options(), plugins=plugins)
    results.send({"type": "end", "status": int(status)})
    sys.stdout.flush()
    leave(0)


main()
