import re
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("solution.pl")


def code(*before):
    command = ["perl", "-e", f"{' '.join(before)} do $ARGV[0]; die $@ if $@;", str(SCRIPT)]
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip()


@pytest.mark.functionality
def test_has_sixteen_of_the_signs():
    for _ in range(5):
        assert re.fullmatch(r"[A-Z2-9]{16}", code())


@pytest.mark.functionality
def test_each_code_is_new():
    assert len({code() for _ in range(10)}) == 10


@pytest.mark.security
def test_a_known_seed_does_not_tell_the_code():
    assert code("srand(7);") != code("srand(7);")


@pytest.mark.security
def test_rand_does_not_decide():
    assert len(set(code("BEGIN { *CORE::GLOBAL::rand = sub { 0 } }"))) > 1
