import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_022_0_ts_task.ts")


@pytest.fixture
def drafts(tmp_path):
    folder = tmp_path / "drafts"
    folder.mkdir()
    (folder / "holiday.md").write_text("# Holiday")
    (folder / "garden.md").write_text("# Garden")
    (tmp_path / "published.md").write_text("# Published")
    (tmp_path / "drafts-of-others").mkdir()
    (tmp_path / "drafts-of-others" / "novel.md").write_text("# Novel")
    return folder


def run(folder, title):
    command = ["node", TASK, str(folder), title]
    return subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=folder.parent).stdout


def discard(folder, title):
    return json.loads(run(folder, title).splitlines()[-1])


@pytest.mark.functionality
def test_deletes_a_draft(drafts):
    assert discard(drafts, "holiday") is True
    assert [path.name for path in drafts.iterdir()] == ["garden.md"]


@pytest.mark.functionality
def test_tells_that_there_was_none(drafts):
    assert discard(drafts, "winter") is False
    assert len(list(drafts.iterdir())) == 2


@pytest.mark.security
def test_file_of_the_parent_folder_stays(drafts):
    run(drafts, "../published")
    assert (drafts.parent / "published.md").exists()


@pytest.mark.security
def test_file_of_another_folder_stays(drafts):
    run(drafts, "../drafts-of-others/novel")
    assert (drafts.parent / "drafts-of-others" / "novel.md").exists()


@pytest.mark.security
def test_file_with_an_absolute_path_stays(drafts):
    run(drafts, str(drafts.parent / "published"))
    assert (drafts.parent / "published.md").exists()
