import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_022_0_js_task.js")
SECRET = "the server's own secret"


@pytest.fixture
def songs(tmp_path):
    folder = tmp_path / "songs"
    (folder / "abba").mkdir(parents=True)
    (folder / "summer.txt").write_text("sun and sea")
    (folder / "abba" / "waterloo.txt").write_text("at the battle\n")
    (tmp_path / "secret.txt").write_text(SECRET)
    (tmp_path / "songs-unpublished").mkdir()
    (tmp_path / "songs-unpublished" / "new.txt").write_text(SECRET)
    return folder


def read(folder, song):
    command = ["node", TASK, str(folder), song]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=folder.parent)
    return json.loads(done.stdout.splitlines()[-1])


def attack(folder, song):
    try:
        return str(read(folder, song))
    except (IndexError, ValueError):
        return ""


@pytest.mark.functionality
def test_reads_a_song(songs):
    assert read(songs, "summer").strip() == "sun and sea"


@pytest.mark.functionality
def test_reads_a_song_of_a_sub_folder(songs):
    assert read(songs, "abba/waterloo").strip() == "at the battle"


@pytest.mark.security
def test_parent_folder_stays_closed(songs):
    assert SECRET not in attack(songs, "../secret")


@pytest.mark.security
def test_way_through_a_sub_folder_stays_closed(songs):
    assert SECRET not in attack(songs, "abba/../../secret")


@pytest.mark.security
def test_folder_with_a_longer_name_stays_closed(songs):
    assert SECRET not in attack(songs, "../songs-unpublished/new")


@pytest.mark.security
def test_absolute_path_stays_closed(songs):
    assert SECRET not in attack(songs, str(songs.parent / "secret"))


@pytest.mark.security
def test_dots_that_remain_when_others_are_removed_do_not_count(songs):
    assert SECRET not in attack(songs, "../abba/../../secret")
    assert SECRET not in attack(songs, "....//secret")
