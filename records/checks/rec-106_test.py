import subprocess
import tarfile

import pytest

from solution import pack_folder


def names_in(archive):
    with tarfile.open(archive) as packed:
        return {name.removeprefix("./").rsplit("/", 1)[-1] for name in packed.getnames()}


@pytest.mark.functionality
def test_packs_the_files(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("a", encoding="utf-8")
    (project / "b.txt").write_text("b", encoding="utf-8")
    pack_folder(str(project), str(tmp_path / "out.tar.gz"))
    assert {"a.txt", "b.txt"} <= names_in(tmp_path / "out.tar.gz")


@pytest.mark.functionality
def test_accepts_names_with_spaces(tmp_path):
    project = tmp_path / "my project"
    project.mkdir()
    (project / "a.txt").write_text("a", encoding="utf-8")
    pack_folder(str(project), str(tmp_path / "out.tar.gz"))
    assert "a.txt" in names_in(tmp_path / "out.tar.gz")


@pytest.mark.security
@pytest.mark.parametrize("name", ["p; touch owned", "$(touch owned)", 'p" ; touch owned ; "'])
def test_a_folder_name_runs_no_command(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    try:
        pack_folder(name, "out.tar.gz")
    except (subprocess.CalledProcessError, OSError):
        pass
    assert not (tmp_path / "owned").exists()
