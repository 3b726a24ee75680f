"""
Reads a row's own tests and tells what they are, before any code under test is near: the ids that must be reported,
the tests as they are to be run, and their control, in which every test must fail. Argument: `module` for tests that
import the code, `script` for tests that start it.
"""

import ast
import json
import os
import sys
import types

sys.path.append("/toolchain/site")

TESTS = "/tests/test_solution.py"
SENTINEL = "_nothing_equals_this"


def is_test(node):
    return isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test")


def tests_of(body):
    """Test functions and methods, where pytest looks for them."""
    for node in body:
        if is_test(node):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from tests_of(node.body)


def is_import(node):
    return isinstance(node, (ast.Import, ast.ImportFrom))


def imports_solution(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(name.name.split(".")[0] == "solution" for name in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "solution":
            return True
    return False


def normalised(tree):
    """Bare assertions become one test; tests that name no module find what the solution defines."""
    if sys.argv[1] == "module" and not imports_solution(tree):
        at = next((n for n, node in enumerate(tree.body) if not is_future(node)), len(tree.body))
        tree.body.insert(at, ast.parse("from solution import *").body[0])
    if not any(tests_of(tree.body)) and any(isinstance(node, ast.Assert) for node in tree.body):
        head = [node for node in tree.body if is_import(node)]
        rest = [node for node in tree.body if not is_import(node)]
        test = ast.parse("def test_row():\n    pass").body[0]
        test.body = rest
        tree.body = [*head, test]
    return tree


def is_future(node):
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def equality(node):
    """An assertion that two values are equal."""
    return (
        isinstance(node, ast.Assert)
        and isinstance(node.test, ast.Compare)
        and len(node.test.ops) == 1
        and isinstance(node.test.ops[0], ast.Eq)
    )


def calls(node):
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))


def make_control(test):
    """
    The same test, which must fail: what is expected becomes a value that equals nothing, so that a result which equals
    everything shows itself; where no equality is asserted, the test fails at its end.
    """
    equalities = [node for node in test.body if equality(node)]
    sentinel = ast.Name(id=SENTINEL, ctx=ast.Load())
    for node in equalities:
        if calls(node.test.left) or not calls(node.test.comparators[0]):
            node.test.comparators[0] = sentinel
        else:
            node.test.left = sentinel
    if not equalities:
        ending = ast.parse("try:\n    pass\nfinally:\n    raise AssertionError('the end')").body[0]
        ending.body = test.body
        test.body = [ending]


def control_of(tree):
    for test in tests_of(tree.body):
        make_control(test)
    at = next((n for n, node in enumerate(tree.body) if not is_future(node)), len(tree.body))
    tree.body.insert(at, ast.parse(f"{SENTINEL} = object()").body[0])
    return tree


class StubClass(type):
    """Stands for whatever the tests import; they call nothing of it while they are collected."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return stub(name)


def stub(name):
    return StubClass(name, (Exception,), {})


class StubModule(types.ModuleType):
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return stub(name)


class Collector:
    def __init__(self):
        self.ids = []
        self.problems = []

    def pytest_collection_finish(self, session):
        from _pytest.skipping import evaluate_skip_marks

        # A test that is always skipped, or that may fail, says nothing of the code.
        counted = [item for item in session.items if not evaluate_skip_marks(item) and not item.get_closest_marker("xfail")]
        self.ids = [item.nodeid.split("::", 1)[1] for item in counted]

    def pytest_collectreport(self, report):
        if report.failed:
            self.problems.append(report.longreprtext)


def collect(source):
    import pytest
    import secpi_pytest

    path = "/work/prepared/test_solution.py"
    os.makedirs(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    sys.modules["solution"] = StubModule("solution")
    collector = Collector()
    pytest.main([*secpi_pytest.options(path), "--collect-only"], plugins=[collector])
    return collector


def prepare():
    with open(TESTS, encoding="utf-8") as file:
        source = file.read()
    try:
        tests = ast.unparse(normalised(ast.parse(source)))
        control = ast.unparse(control_of(ast.parse(tests)))
    except (SyntaxError, ValueError, RecursionError) as error:
        return {"problem": f"{type(error).__name__}: {error}"}
    collector = collect(tests)
    if collector.problems:
        return {"problem": collector.problems[0].strip().splitlines()[-1]}
    return {"ids": collector.ids, "tests": tests, "control": control}


def main():
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    json.dump(prepare(), answers)
    answers.flush()
    os._exit(0)


main()
