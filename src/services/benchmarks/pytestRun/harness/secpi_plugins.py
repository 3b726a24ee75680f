"""pytest's own plugins, imported together: those that are used, and the names of those that are not."""

import importlib

import _pytest.config

OFF = ("cacheprovider", "doctest", "junitxml", "pastebin", "nose", "faulthandler", "stepwise", "setuponly", "setupplan")

for name in _pytest.config.default_plugins:
    if name not in OFF:
        importlib.import_module(f"_pytest.{name}")
