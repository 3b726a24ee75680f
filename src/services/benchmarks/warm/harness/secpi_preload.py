"""Imports what many runs need, and refuses what a fork would not give to each child as its own."""

import importlib
import os
import resource
import sys


def preload(order):
    """What fails to import is the run's to meet. Raises SystemExit where children would share or lose something."""
    before = list(sys.path)
    opened = open_descriptors()
    sys.path[:0] = [order["harness"], order["site"]]
    for name in order["modules"]:
        importlib.import_module(name)
    sys.path[:] = [*before, order["site"]]
    for name in order["preload"]:
        try:
            importlib.import_module(name)
        except Exception:
            continue
    sys.path[:] = before
    if len(os.listdir("/proc/self/task")) > 1:
        raise SystemExit("a module started a thread: its state would be lost in a child")
    if open_descriptors() != opened:
        raise SystemExit("a module opened a file: children would share its position")
    if has_shared_memory():
        raise SystemExit("a module shares memory with its children")


def open_descriptors():
    """/proc/self/fd is closed to a process that is not dumpable."""
    found = set()
    for number in range(resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.add(number)
    return found


def has_shared_memory():
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        modes = [line.split(" ", 2)[1] for line in file]
    return any(mode[1] == "w" and mode[3] == "s" for mode in modes)
