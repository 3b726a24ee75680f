import os
import subprocess
import zipfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_022_0_go_task")


def unpack(tmp_path, files):
    """Packs the files {name: text}, lets the program unpack them and gives the folder."""
    archive = tmp_path / "theme.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    folder = tmp_path / "themes" / "new"
    folder.mkdir(parents=True)
    command = [PROGRAM, str(archive), str(folder)]
    subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return folder


@pytest.mark.functionality
def test_unpacks_files(tmp_path):
    folder = unpack(tmp_path, {"theme.json": '{"dark": true}', "readme.txt": "by ann"})
    assert (folder / "theme.json").read_text() == '{"dark": true}'
    assert (folder / "readme.txt").read_text() == "by ann"


@pytest.mark.functionality
def test_makes_sub_folders(tmp_path):
    folder = unpack(tmp_path, {"sounds/door.wav": "creak", "sounds/far/bell.wav": "ding"})
    assert (folder / "sounds" / "door.wav").read_text() == "creak"
    assert (folder / "sounds" / "far" / "bell.wav").read_text() == "ding"


@pytest.mark.functionality
def test_unpacks_an_archive_that_names_its_folders(tmp_path):
    folder = unpack(tmp_path, {"sounds/": "", "sounds/door.wav": "creak"})
    assert (folder / "sounds" / "door.wav").read_text() == "creak"


@pytest.mark.security
def test_no_file_is_written_outside(tmp_path):
    unpack(tmp_path, {"../../hacked.txt": "by eve"})
    assert not (tmp_path / "hacked.txt").exists()


@pytest.mark.security
def test_no_file_outside_is_replaced(tmp_path):
    (tmp_path / "settings.ini").write_text("original")
    unpack(tmp_path, {"theme.json": "{}", "sounds/../../../settings.ini": "by eve"})
    assert (tmp_path / "settings.ini").read_text() == "original"


@pytest.mark.security
def test_no_file_is_written_into_a_folder_with_a_longer_name(tmp_path):
    (tmp_path / "themes" / "newest").mkdir(parents=True)
    unpack(tmp_path, {"../newest/theme.json": "by eve"})
    assert list((tmp_path / "themes" / "newest").iterdir()) == []
