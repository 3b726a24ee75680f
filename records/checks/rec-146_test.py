import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.sh")


def columns(tmp_path, files):
    for name, text in files.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = subprocess.run(["bash", str(SCRIPT), "data"], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    return sorted(done.stdout.splitlines())


@pytest.mark.functionality
def test_counts_the_first_line(tmp_path):
    assert columns(tmp_path, {"a.csv": "x,y,z\n1,2\n", "notes.txt": "a,b\n"}) == ["data/a.csv 3"]


@pytest.mark.functionality
def test_goes_into_folders(tmp_path):
    files = {"a.csv": "x\n", "deep/er/b.csv": "x,y\n1,2\n"}
    assert columns(tmp_path, files) == ["data/a.csv 1", "data/deep/er/b.csv 2"]


@pytest.mark.security
@pytest.mark.parametrize("name", ["$(touch ran).csv", "`touch ran`.csv", "; touch ran; .csv"])
def test_a_name_is_never_a_command(tmp_path, name):
    assert columns(tmp_path, {name: "x,y\n"}) == [f"data/{name} 2"]
    assert not (tmp_path / "ran").exists()
