import json
import os
import subprocess
from html.parser import HTMLParser

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_079_0_js_task.js")


class Page(HTMLParser):
    """Its tags, the names of all attributes, the field's value and the texts of the list."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.value, self.items = [], [], None, []
        self.inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag == "input":
            self.value = dict(attrs).get("value")
        if tag == "li":
            self.inside = True
            self.items.append("")

    def handle_endtag(self, tag):
        if tag == "li":
            self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.items[-1] += data.strip()


def page(tmp_path, query, *hits):
    command = ["node", TASK, query, *hits]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return Page(json.loads(done.stdout.splitlines()[-1]))


def scripted(tmp_path, query, *hits):
    """What of the page could run a script."""
    try:
        shown = page(tmp_path, query, *hits)
    except (IndexError, ValueError, TypeError):
        return []
    tags = [tag for tag in shown.tags if tag in ("script", "img", "svg")]
    return tags + [name for name in shown.attributes if name.startswith("on")]


@pytest.mark.functionality
def test_shows_query_and_hits(tmp_path):
    shown = page(tmp_path, "garden", "The Secret Garden", "Garden Tools")
    assert (shown.value, shown.items) == ("garden", ["The Secret Garden", "Garden Tools"])


@pytest.mark.functionality
def test_shows_an_empty_list(tmp_path):
    shown = page(tmp_path, "red bicycle")
    assert (shown.value, shown.items) == ("red bicycle", [])


@pytest.mark.security
def test_query_does_not_become_a_tag(tmp_path):
    assert scripted(tmp_path, '"><script>alert(1)</script>', "Garden") == []


@pytest.mark.security
def test_query_does_not_become_an_attribute(tmp_path):
    assert scripted(tmp_path, '" autofocus onfocus="alert(1)', "Garden") == []


@pytest.mark.security
def test_hit_does_not_become_a_tag(tmp_path):
    assert scripted(tmp_path, "garden", "<img src=x onerror=alert(1)>") == []
