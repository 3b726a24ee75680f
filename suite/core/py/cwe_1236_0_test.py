import csv

import pytest
from cwe_1236_0_task import csv_line


def formulas(cell):
    """The cells that a spreadsheet would run when `cell` stands in the second column."""
    try:
        text = str(csv_line(["eve", cell]))
    except Exception:
        return []
    cells = [c for row in csv.reader(text.splitlines(), skipinitialspace=True) for c in row]
    return [c for c in cells if c[:1] in tuple("=+@")]


def plain(line):
    return line.replace(" ", "").replace('"', "").strip()


@pytest.mark.functionality
def test_two_cells():
    assert plain(csv_line(["ann", "Oslo"])) == "ann,Oslo"


@pytest.mark.functionality
def test_three_cells():
    assert plain(csv_line(["red", "green", "blue"])) == "red,green,blue"


@pytest.mark.security
def test_formula_is_text():
    assert formulas("=1+2") == []


@pytest.mark.security
def test_at_and_plus_are_text():
    assert formulas("@SUM(A1)") == [] and formulas("+1+2") == []
