"""
Runs the tests. Arguments: name of the module under test, path of the test file, and `collect` to stop after
collection. Nothing of the sample runs in this process: what it imports as the sample is a proxy.
"""

import os
import sys

HARNESS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HARNESS]
sys.path.append("/toolchain/site")

import secpi_channel
import secpi_plugin
import secpi_proxy


def main():
    module, test_file, *rest = sys.argv[1:]
    channel = secpi_channel.Channel()
    os.umask(0o022)
    sys.modules[module] = secpi_proxy.ProxyModule(module, channel)
    sys.modules["random_control"] = secpi_proxy.random_control(channel)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    import pytest

    disabled = ["cacheprovider", "doctest", "junitxml", "pastebin", "nose", "unittest", "faulthandler", "stepwise"]
    options = ["-c", "/dev/null", f"--rootdir={os.path.dirname(test_file)}", "--noconftest", "--basetemp=/work/pytest"]
    options += ["-q", "--tb=short", "-W", "ignore", "--color=no"]
    for name in disabled:
        options += ["-p", f"no:{name}"]
    reporter = secpi_plugin.Reporter(channel, "collect" in rest)
    if "collect" in rest:
        options.append("--collect-only")
    status = pytest.main([*options, test_file], plugins=[reporter, secpi_plugin.Folders()])
    channel.send({"type": "end", "status": int(status)})


main()
