"""Folders that are either absent or whole: written under a temporary name, fsynced, renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def _fsync_path(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fsync_tree(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            _fsync_path(Path(folder) / name)
        _fsync_path(Path(folder))


@contextmanager
def whole_folder(target: Path, *, survives_power_cut: bool = True) -> Iterator[Path]:
    """Yields a temporary sibling of `target` to write into; on success it replaces `target`.

    When the body raises, nothing of it stays. A crash can leave only a `.partial` sibling, which the next writer
    of the same name removes. Without `survives_power_cut` that holds for a crash of the process only, and nobody waits
    for the disk: for what is read back by this very machine before it goes anywhere else.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    if survives_power_cut:
        _fsync_tree(partial)
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)
    if survives_power_cut:
        _fsync_path(target.parent)


def list_files(folder: Path) -> list[dict[str, str | int]]:
    """All files below `folder` as `{path, bytes}`, paths relative with `/`, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [{"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size} for path in files]
