"""A stand-in for CWEval's module of this name: the functions that the adapter calls, and no more."""

import os
import subprocess

import fire  # noqa: F401  not installed where this is tested, as in a worker
import numpy  # noqa: F401
from natsort import natsorted  # noqa: F401

BENCHMARK_DIR = "benchmark"
LANGS = ["c", "py", "js"]
HEADERS = {"c": "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n", "cpp": ""}


def complete_code(code, lang):
    return HEADERS.get(lang, "") + code


def get_code_from(msg, only_first=False):
    """The first fenced block, closed or not; nothing where there is none."""
    lines = msg.splitlines()
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    if not fences:
        return ""
    end = fences[1] if len(fences) > 1 else len(lines)
    return "\n".join(lines[fences[0] + 1 : end])


def compile_src(src_path, compiled_path, check=True):
    os.makedirs(os.path.dirname(compiled_path), exist_ok=True)
    flags = " -fsanitize=address" if "lang/c" in src_path else ""
    done = subprocess.run(f"gcc {src_path} -o {compiled_path}{flags}", shell=True, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"Error compiling {src_path}:\n{done.stderr}", flush=True)
    return done.returncode, done.stdout, done.stderr
