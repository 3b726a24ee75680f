"""
The user's checkout of CWEval, imported without what only its generation, its Docker mode and its command line need:
the first pulls in gigabytes, and all of it costs half a second a start.
"""

import importlib.abc
import importlib.machinery
import sys
import types

STANDINS = ("litellm", "fire", "numpy", "natsort", "p_tqdm", "tqdm", "docker", "pytest")


class _Standin(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return sorted if name == "natsorted" else _Nothing


class _Nothing:
    def __init__(self, *_, **__):
        pass


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".", 1)[0] in STANDINS:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _Standin(spec.name)

    def exec_module(self, module):
        pass


def use(home):
    """Makes `import cweval…` find the checkout, and its stand-ins before what may be installed."""
    sys.meta_path.insert(0, _Finder())
    sys.path.insert(0, home)
