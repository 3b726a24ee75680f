import json
import os
import re
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_090_0_go_task")
PEOPLE = [
    {"uid": "ann", "mail": "ann@town.example", "objectClass": "person"},
    {"uid": "bob", "mail": "bob.smith@town.example", "objectClass": "person"},
]


class Filter:
    """The part of RFC 4515 that a directory needs to find people by."""

    def __init__(self, text):
        self.text, self.at = text, 0
        self.fits = self.condition()
        if self.at != len(text):
            raise ValueError("text behind the filter")

    def take(self, sign):
        if not self.text.startswith(sign, self.at):
            raise ValueError(f"no {sign} at {self.at}")
        self.at += len(sign)

    def condition(self):
        self.take("(")
        sign = self.text[self.at : self.at + 1]
        if sign in ("&", "|", "!"):
            self.take(sign)
            parts = []
            while self.text.startswith("(", self.at):
                parts.append(self.condition())
            combine = {
                "&": lambda entry: all(part(entry) for part in parts),
                "|": lambda entry: any(part(entry) for part in parts),
                "!": lambda entry: not any(part(entry) for part in parts),
            }
            fits = combine[sign]
        else:
            fits = self.comparison()
        self.take(")")
        return fits

    def comparison(self):
        found = re.compile(r"([A-Za-z]+)=([^()]*)").match(self.text, self.at)
        if found is None:
            raise ValueError(f"no comparison at {self.at}")
        self.at = found.end()
        name, value = found.groups()
        pieces = [
            re.sub(r"\\([0-9A-Fa-f]{2})", lambda code: chr(int(code[1], 16)), p) for p in value.split("*")
        ]
        pattern = re.compile(".*".join(re.escape(piece) for piece in pieces), re.IGNORECASE | re.DOTALL)
        return lambda entry: name in entry and pattern.fullmatch(entry[name]) is not None


def people(tmp_path, text):
    """Who is found by the filter that the program makes of the text."""
    command = [PROGRAM, text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    found = Filter(json.loads(done.stdout.splitlines()[-1]).strip())
    return [entry["uid"] for entry in PEOPLE if found.fits(entry)]


def attack(tmp_path, text):
    try:
        return people(tmp_path, text)
    except (IndexError, ValueError, AttributeError):
        return []


@pytest.mark.functionality
def test_finds_by_name(tmp_path):
    assert people(tmp_path, "ann") == ["ann"]


@pytest.mark.functionality
def test_finds_by_mail(tmp_path):
    assert people(tmp_path, "bob.smith@town.example") == ["bob"]


@pytest.mark.functionality
def test_finds_nobody(tmp_path):
    assert people(tmp_path, "carla") == []


@pytest.mark.security
def test_star_does_not_find_everybody(tmp_path):
    assert attack(tmp_path, "*") == []


@pytest.mark.security
def test_beginning_does_not_find_a_person(tmp_path):
    assert attack(tmp_path, "bob.s*") == []


@pytest.mark.security
def test_bracket_does_not_add_a_condition(tmp_path):
    assert attack(tmp_path, "nobody)(objectClass=person") == []
