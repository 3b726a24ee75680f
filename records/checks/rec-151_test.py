import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.pl")


def centred(width, text):
    command = ["perl", str(SCRIPT), str(width), text]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout


@pytest.mark.functionality
@pytest.mark.parametrize(("width", "text", "line"), [(10, "abcd", "   abcd\n"), (9, "abcd", "  abcd\n"), (3, "abc", "abc\n")])
def test_puts_blanks_before_the_text(width, text, line):
    assert centred(width, text) == line


@pytest.mark.functionality
def test_a_text_that_is_too_long_stays():
    assert centred(4, "abcdefgh") == "abcdefgh\n"


@pytest.mark.security
@pytest.mark.parametrize("text", ["100%sure", "%n%n%n", "50% done, %d left"])
def test_percent_signs_are_only_text(text):
    assert centred(1, text) == text + "\n"


@pytest.mark.security
def test_no_width_is_taken_from_the_text():
    assert len(centred(1, "%2000000d")) == 10
