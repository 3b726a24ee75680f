import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.pl")


def page(text):
    done = subprocess.run(["perl", str(SCRIPT)], input=text, capture_output=True, text=True, timeout=20)
    return "".join(done.stdout.split("\n"))


@pytest.mark.functionality
def test_lists_the_entries():
    wanted = "<dl><dt>Ada</dt><dd>Nice club</dd><dt>Bo</dt><dd>See you</dd></dl>"
    assert page("Ada|Nice club\nBo|See you\n") == wanted


@pytest.mark.functionality
def test_an_entry_may_hold_a_bar():
    assert "<dd>a|b</dd>" in page("Ada|a|b\n")


@pytest.mark.security
def test_markup_in_an_entry_is_text():
    html = page("Eve|<script>run()</script>\n")
    assert "<script" not in html and "&lt;script&gt;" in html


@pytest.mark.security
def test_markup_in_a_name_is_text():
    assert "<img" not in page("<img src=x onerror=run()>|hi\n")
