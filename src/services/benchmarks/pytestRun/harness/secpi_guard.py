"""
Values that equal everything. A sample in the tests' own process can return an object whose `==` is always true; so
every operand that a test compares is first compared with values that nothing equals.
"""

import ast
import secrets

MAX_ITEMS = 1000


class EqualsEverything(AssertionError):
    pass


def operand(value, depth=0):
    """The value itself; raises for one that equals what it cannot equal."""
    if type(value) in (str, int, float, bool, bytes, type(None)):
        return value
    if depth < 4 and type(value) in (list, tuple, set, frozenset):
        for item in list(value)[:MAX_ITEMS]:
            operand(item, depth + 1)
        return value
    if depth < 4 and type(value) is dict:
        for item in list(value.items())[:MAX_ITEMS]:
            operand(item, depth + 1)
        return value
    token = secrets.token_hex(16)
    for stranger in (object(), token, token.encode(), int(token, 16), [token], (token,), {token: token}):
        if _equal(value, stranger):
            raise EqualsEverything("a value of the sample equals everything")
    return value


def _equal(value, stranger):
    try:
        return bool(value == stranger)
    except Exception:
        return False


class _Operands(ast.NodeTransformer):
    def visit_Compare(self, node):
        self.generic_visit(node)
        node.left = self._guarded(node.left)
        node.comparators = [self._guarded(part) for part in node.comparators]
        return node

    @staticmethod
    def _guarded(part):
        if isinstance(part, ast.Constant):
            return part
        name = ast.copy_location(ast.Name("@secpi_operand", ast.Load()), part)
        return ast.copy_location(ast.Call(name, [part], []), part)


def install():
    """Applies to every module whose assertions pytest rewrites: the test file."""
    import builtins

    import _pytest.assertion.rewrite as rewrite

    setattr(builtins, "@secpi_operand", operand)
    rewrite_asserts = rewrite.rewrite_asserts

    def guarded(tree, *rest, **named):
        rewrite_asserts(_Operands().visit(tree), *rest, **named)

    rewrite.rewrite_asserts = guarded
