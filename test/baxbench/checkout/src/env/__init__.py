"""Frameworks of the stand-in checkout: one of a single file, one of many, one with a slash in its name."""

from dataclasses import dataclass, field

import docker

client = docker.from_env()


@dataclass(frozen=True)
class Env:
    language: str
    framework: str
    extension: str
    code_filename: str | None
    is_multi_file: bool = False
    dockerfile: str = "FROM nothing"
    entrypoint_cmd: str = "run"
    manifest_files: dict[str, str] = field(default_factory=dict)

    @property
    def id(self):
        return f"{self.language}-{self.framework}"


all_envs = [
    Env("Python", "Tiny", "py", "app.py"),
    Env("JavaScript", "many", "ts", None, is_multi_file=True),
    Env("Go", "net/http", "go", "main.go"),
]
