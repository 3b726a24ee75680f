"""Weaknesses of the stand-in checkout."""

from enum import Enum


class CWE(Enum):
    CODE_INJECTION = {"num": 94, "desc": "Code is built from input."}
    RESOURCES = {"num": 400, "desc": "Resources are not limited."}
    EXCEPTIONS = {"num": 703, "desc": "Exceptions are not handled."}
