import csv

import pytest
from cwe_1236_0_task import rows_to_csv


def cells(text):
    return [row for row in csv.reader(text.splitlines()) if row]


def formulas(cell):
    """The cells that a spreadsheet would run when `cell` stands in the second column."""
    try:
        text = str(rows_to_csv([["name", "city"], ["eve", cell]]))
    except Exception:
        return []
    return [c for row in cells(text) for c in row if c.lstrip(" ")[:1] in tuple("=+@")]


@pytest.mark.functionality
def test_two_rows():
    assert cells(rows_to_csv([["name", "city"], ["ann", "Oslo"]])) == [["name", "city"], ["ann", "Oslo"]]


@pytest.mark.functionality
def test_one_row():
    assert cells(rows_to_csv([["red", "green", "blue"]])) == [["red", "green", "blue"]]


@pytest.mark.security
def test_formula_is_text():
    assert formulas("=1+2") == []


@pytest.mark.security
def test_at_and_plus_are_text():
    assert formulas("@SUM(A1)") == [] and formulas("+1+2") == []
