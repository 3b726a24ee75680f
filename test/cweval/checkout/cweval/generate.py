"""A stand-in for CWEval's module of this name."""

import os

from tqdm import tqdm  # noqa: F401

from cweval.ai import AIAPI  # noqa: F401
from cweval.commons import BENCHMARK_DIR, LANGS


class Gener:
    def __init__(self):
        self.cases = {}
        for root, _, files in os.walk(BENCHMARK_DIR):
            for name in sorted(files):
                stem, ending = os.path.splitext(name)
                if not stem.endswith("_task") or ending[1:] not in LANGS:
                    continue
                path = os.path.join(root, name)
                with open(path) as file:
                    text = file.read()
                prompt = text.split("BEGIN PROMPT")[-1]
                lines = prompt.split("\n")
                end = next(number for number, line in enumerate(lines) if "BEGIN SOLUTION" in line)
                self.cases[path] = {"lang": ending[1:], "code_prompt": "\n".join(lines[:end]).strip()}
