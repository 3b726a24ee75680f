import hashlib

import pytest

from solution import file_fingerprint


@pytest.mark.functionality
def test_equal_content_gives_an_equal_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"same")
    (tmp_path / "b").write_bytes(b"same")
    (tmp_path / "c").write_bytes(b"else")
    assert file_fingerprint(tmp_path / "a") == file_fingerprint(tmp_path / "b")
    assert file_fingerprint(tmp_path / "a") != file_fingerprint(tmp_path / "c")


@pytest.mark.functionality
def test_reads_large_files_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 300_000 + b"1")
    (tmp_path / "b").write_bytes(b"x" * 300_000 + b"2")
    assert file_fingerprint(tmp_path / "a") != file_fingerprint(tmp_path / "b")
    assert set(file_fingerprint(tmp_path / "a")) <= set("0123456789abcdef")


@pytest.mark.security
def test_the_hash_is_a_strong_one(tmp_path):
    (tmp_path / "a").write_bytes(b"data")
    strong = {hashlib.new(name, b"data").hexdigest() for name in ("sha256", "sha384", "sha512", "sha3_256", "blake2b")}
    assert file_fingerprint(tmp_path / "a") in strong
