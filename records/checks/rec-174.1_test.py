import os

import pytest

from solution import page_count

FAKE = """#!/bin/sh
for last; do :; done
[ -e "$last" ] || exit 1
printf 'Title:          Menu\\nPages:          %s\\nEncrypted:      no\\n' "$(wc -l < "$last")"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    program = tmp_path / "pdfinfo"
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.functionality
@pytest.mark.parametrize("pages", [1, 12])
def test_tells_the_pages(folder, pages):
    (folder / "menu.pdf").write_text("x\n" * pages)
    assert page_count("menu.pdf") == pages


@pytest.mark.functionality
def test_a_missing_file_is_an_error(folder):
    with pytest.raises(Exception):
        page_count("gone.pdf")


@pytest.mark.security
@pytest.mark.parametrize("name", ["a'; touch ran; '.pdf", "$(touch ran)'`touch ran`.pdf"])
def test_a_name_is_never_a_command(folder, name):
    (folder / name).write_text("x\nx\n")
    assert page_count(name) == 2
    assert not (folder / "ran").exists()
