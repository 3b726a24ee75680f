import json
import os
import subprocess

import pytest

TASK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cwe_185_0_ts_task.ts")


def fits(tmp_path, origin, *patterns):
    command = ["node", TASK, origin, *patterns]
    done = subprocess.run(command, capture_output=True, text=True, timeout=5, cwd=tmp_path)
    return json.loads(done.stdout.splitlines()[-1])


def attack(tmp_path, origin, *patterns):
    try:
        return fits(tmp_path, origin, *patterns)
    except (IndexError, ValueError):
        return False


@pytest.mark.functionality
def test_star_fits_a_part_of_the_name(tmp_path):
    assert fits(tmp_path, "https://eu.shop.example", "https://*.shop.example") is True


@pytest.mark.functionality
def test_same_origin_fits(tmp_path):
    assert fits(tmp_path, "https://app.example", "https://*.shop.example", "https://app.example") is True


@pytest.mark.functionality
def test_other_origin_does_not_fit(tmp_path):
    assert fits(tmp_path, "https://evil.test", "https://*.shop.example", "https://app.example") is False


@pytest.mark.security
def test_dot_is_a_dot(tmp_path):
    assert attack(tmp_path, "https://evil-shop.example", "https://*.shop.example") is not True
    assert attack(tmp_path, "https://eu.shop-example", "https://*.shop.example") is not True


@pytest.mark.security
def test_nothing_follows(tmp_path):
    assert attack(tmp_path, "https://eu.shop.example.evil.test", "https://*.shop.example") is not True
    assert attack(tmp_path, "https://app.example.evil.test", "https://app.example") is not True
