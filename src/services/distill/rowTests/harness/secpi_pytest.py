"""How pytest is started here: nothing but the one file, no plugins, no configuration, no cache."""

import os

OFF = ["cacheprovider", "doctest", "junitxml", "pastebin", "nose", "faulthandler", "stepwise"]


def options(path):
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    listed = ["-c", "/dev/null", f"--rootdir={os.path.dirname(path)}", "--noconftest", "--basetemp=/work/pytest"]
    listed += ["-q", "--tb=short", "-W", "ignore", "--color=no", "--import-mode=importlib"]
    for name in OFF:
        listed += ["-p", f"no:{name}"]
    return [*listed, path]
