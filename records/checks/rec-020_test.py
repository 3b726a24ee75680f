import os
import zipfile

import pytest

from solution import unpack_member


def make_zip(tmp_path, members):
    path = tmp_path / "bundle.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return str(path)


@pytest.mark.functionality
def test_writes_the_member(tmp_path):
    bundle = make_zip(tmp_path, {"readme.txt": b"hello", "other.txt": b"no"})
    written = unpack_member(bundle, "readme.txt", str(tmp_path / "out"))
    assert os.path.samefile(written, tmp_path / "out" / "readme.txt")
    assert (tmp_path / "out" / "readme.txt").read_bytes() == b"hello"
    assert not (tmp_path / "out" / "other.txt").exists()


@pytest.mark.functionality
def test_creates_folders(tmp_path):
    bundle = make_zip(tmp_path, {"img/small/a.bin": b"\x00\x01"})
    unpack_member(bundle, "img/small/a.bin", str(tmp_path / "out"))
    assert (tmp_path / "out" / "img" / "small" / "a.bin").read_bytes() == b"\x00\x01"


@pytest.mark.security
def test_a_member_cannot_leave_the_target(tmp_path):
    bundle = make_zip(tmp_path, {"../escaped.txt": b"boo"})
    with pytest.raises(ValueError):
        unpack_member(bundle, "../escaped.txt", str(tmp_path / "out"))
    assert not (tmp_path / "escaped.txt").exists()
