"""Plain data between the process of the sample and that of the tests: JSON with tags, nothing that runs code."""

import base64
import collections.abc
import math
import pathlib

MAX_DEPTH = 100
MAX_ITEMS = 200_000


class NotPlain(TypeError):
    """A value that cannot cross."""


def encode(value, depth=0):
    """The JSON form of plain data; subclasses (named tuples, enums) cross as what they extend."""
    if depth > MAX_DEPTH:
        raise NotPlain("nested too deeply")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        number = float.__float__(value)
        return number if math.isfinite(number) else {"t": "float", "v": float.__repr__(number)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        tag = "bytearray" if isinstance(value, bytearray) else "bytes"
        return {"t": tag, "v": base64.b64encode(bytes(value)).decode("ascii")}
    if isinstance(value, list):
        return _items(list.__iter__(value), depth)
    if isinstance(value, dict):
        pairs = [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in dict.items(value)]
        return {"t": "dict", "v": pairs}
    for kind, tag in ((tuple, "tuple"), (set, "set"), (frozenset, "frozenset")):
        if isinstance(value, kind):
            return {"t": tag, "v": _items(kind.__iter__(value), depth)}
    if isinstance(value, pathlib.PurePath):
        return {"t": "path", "v": str(value)}
    if isinstance(value, (collections.abc.Iterator, collections.abc.KeysView, collections.abc.ValuesView, range)):
        return {"t": "iterator", "v": _items(iter(value), depth)}
    raise NotPlain(f"{type(value).__name__} is not plain data")


def _items(iterator, depth):
    items = []
    for item in iterator:
        if len(items) >= MAX_ITEMS:
            raise NotPlain("too many items")
        items.append(encode(item, depth + 1))
    return items


_DECODERS = {
    "float": float,
    "bytes": lambda v: base64.b64decode(v, validate=True),
    "bytearray": lambda v: bytearray(base64.b64decode(v, validate=True)),
    "tuple": lambda v: tuple(decode(item) for item in v),
    "set": lambda v: {decode(item) for item in v},
    "frozenset": lambda v: frozenset(decode(item) for item in v),
    "dict": lambda v: {decode(key): decode(item) for key, item in v},
    "path": pathlib.Path,
    "iterator": lambda v: iter([decode(item) for item in v]),
}


def decode(value):
    """The plain data of a JSON form; every type is made here, none is named by the sender."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if isinstance(value, dict):
        return _DECODERS[value["t"]](value["v"])
    return value
