import gzip
import json
import os
import resource
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(HERE, "compiled", "cwe_409_0_go_task")
MEMORY_BYTES = 256 * 1024 * 1024


def limit_memory():
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))


def preview(tmp_path, packed):
    """The first 20 bytes of the text, read by a program that has little memory."""
    (tmp_path / "upload.gz").write_bytes(packed)
    command = [PROGRAM, "upload.gz"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=5, cwd=tmp_path, preexec_fn=limit_memory
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.functionality
def test_shows_the_beginning(tmp_path):
    text = "It was a bright cold day in the garden."
    assert preview(tmp_path, gzip.compress(text.encode())) == "It was a bright cold"


@pytest.mark.functionality
def test_shows_a_short_text(tmp_path):
    assert preview(tmp_path, gzip.compress(b"Hello there")) == "Hello there"


@pytest.mark.functionality
def test_shows_the_beginning_of_a_longer_text(tmp_path):
    assert preview(tmp_path, gzip.compress(b"0123456789" * 100000)) == "01234567890123456789"


@pytest.mark.security
def test_small_file_with_an_endless_text(tmp_path):
    # 16 MiB of the letter a, 64 times over: 1 GiB in a file of 1 MB.
    packed = gzip.compress(b"a" * 16 * 1024 * 1024) * 64
    assert preview(tmp_path, packed) == "a" * 20
