"""What a run could leave behind: processes, files, sockets, another state of the host. Ended, removed, or found out."""

import ctypes
import os
import resource
import shutil
import signal
import stat
import time

PLACES = ("/tmp", "/dev/shm")
# A mount of its own that a sandbox may write to: who takes its rights takes every terminal.
TERMINALS = ("/dev/pts", "/dev/pts/ptmx")
SOCKETS = ("tcp", "tcp6", "udp", "udp6", "unix")
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
CLEAN_UP_SECONDS = 2
INIT = 1
IOPRIO_GET = 31 if os.uname().machine == "aarch64" else 252
LIBC = ctypes.CDLL(None)


class Start:
    """How things are before the first run, and have to be again after each."""

    def __init__(self):
        self._own = own_state()
        self._places = {place: survey(place) for place in PLACES}
        self._room = [room(place) for place in PLACES]
        self._terminals = [state(path) for path in TERMINALS]
        self._traffic = traffic()

    def has_traffic(self):
        return self._traffic != traffic()

    def restore(self):
        """Ends this process where something cannot be put back."""
        for keep in self._places.values():
            empty(keep)
            for path, is_ours in keep.items():
                if is_ours:
                    os.utime(path, (0, 0))
        if self._own != own_state():
            raise SystemExit("this process or the init was changed")
        if self._places != {place: survey(place) for place in PLACES}:
            raise SystemExit("its folders were changed")
        if self._terminals != [state(path) for path in TERMINALS]:
            raise SystemExit("the terminals were changed")
        if self._room != [room(place) for place in PLACES]:
            raise SystemExit("a file without a name is held somewhere")


def own_state():
    """What a process of the same user may change of this one, and of the init that reaps; a child would inherit it."""
    return [
        (
            [resource.prlimit(pid, limit) for limit in LIMITS],
            os.sched_getaffinity(pid),
            os.getpriority(os.PRIO_PROCESS, pid),
            os.sched_getscheduler(pid),
            LIBC.syscall(IOPRIO_GET, 1, pid),
        )
        for pid in (os.getpid(), INIT)
    ]


def survey(place):
    """The folders that a sandbox has there from its start, those that others are mounted in; of mounts only their names."""
    found = {}
    device = os.lstat(place).st_dev
    pending = [place]
    while pending:
        path = pending.pop()
        info = os.lstat(path)
        if info.st_dev != device:
            found[path] = None
            continue
        if not stat.S_ISDIR(info.st_mode):
            raise SystemExit(f"{path} was left by an import")
        found[path] = (info.st_mode, info.st_ino, os.listxattr(path))
        pending += [os.path.join(path, name) for name in os.listdir(path)]
    return found


def state(path):
    info = os.lstat(path)
    return (info.st_mode, info.st_ino, info.st_nlink)


def traffic():
    """Counters, caches of TCP and flow labels outlive their sockets."""
    with open("/proc/net/dev", encoding="ascii") as file:
        return file.read()


def room(place):
    """Space and files that may still be taken: what was deleted while it is open takes both."""
    info = os.statvfs(place)
    return (info.f_bfree, info.f_ffree)


def kill_child(pid):
    """And all others, until the child can be reaped."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    os.kill(-1, signal.SIGKILL)
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("the child does not end")
        time.sleep(0.001)


def kill_all():
    """Every process of the namespace but its init and this one; zombies count until they are reaped."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            return
        if time.monotonic() > deadline:
            raise TimeoutError("a process does not end")
        time.sleep(0.001)


def empty(keep):
    """Removes what is not of the start."""
    for folder, is_ours in keep.items():
        for name in os.listdir(folder) if is_ours else ():
            path = os.path.join(folder, name)
            if path in keep:
                continue
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)


def sockets_linger():
    """
    A port in TIME_WAIT refuses the next one who wants it; and what was sent through a socket to itself lives until the
    kernel collects its garbage.
    """
    for name in SOCKETS:
        try:
            with open(f"/proc/net/{name}", encoding="ascii", errors="replace") as file:
                if len(file.readlines()) > 1:
                    return True
        except FileNotFoundError:  # a kernel without IPv6
            continue
    return False
