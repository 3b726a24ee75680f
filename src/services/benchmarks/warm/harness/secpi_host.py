"""
A Python that has imported what many runs need, and forks a child for each of them; one at a time. It relays between the
grader and the child, so the child has no descriptor of the grader's, and it leaves nothing of the child behind. Whatever
is not as it should be ends this process, and the sandbox with it. See DESIGN.md beside the folder of this file.
"""

import collections
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import stat
import sys
import time

PR_SET_DUMPABLE = 4
PLACES = ("/tmp", "/dev/shm")
SOCKETS = ("tcp", "tcp6")
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
CHUNK = 65_536
CLEAN_UP_SECONDS = 2


def require_sandbox():
    """This process kills everything that it can see."""
    if os.getpid() > 9 or os.getuid() != 65534 or os.uname().nodename != "sandbox":
        raise SystemExit("not in a sandbox of its own")


def close_process():
    """Closes /proc/PID/mem and /proc/PID/fd to other processes of the same user."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


class Control:
    """The line to the grader: a JSON object a line; bytes of the child travel as latin-1."""

    def __init__(self):
        self.incoming = os.dup(0)
        self._outgoing = os.dup(1)
        self._pending = b""
        self._messages = collections.deque()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)

    def close(self):
        os.close(self.incoming)
        os.close(self._outgoing)

    def send(self, message):
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self._outgoing, data) :]

    def receive(self):
        """Takes in what has arrived, waiting for some; the grader ends this process by closing the line."""
        data = os.read(self.incoming, CHUNK)
        if not data:
            os._exit(0)
        *lines, self._pending = (self._pending + data).split(b"\n")
        self._messages.extend(json.loads(line) for line in lines)

    def has_message(self):
        return bool(self._messages)

    def next(self):
        while not self._messages:
            self.receive()
        return self._messages.popleft()


def preload(order):
    """What fails to import is the run's to meet."""
    before = list(sys.path)
    sys.path[:0] = [order["harness"], order["site"]]
    import _pytest.config

    import pytest

    for name in _pytest.config.default_plugins:
        importlib.import_module(f"_pytest.{name}")
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


def own_state():
    """What another process of the same user may change of this one, and a child would inherit."""
    return (
        [resource.getrlimit(limit) for limit in LIMITS],
        os.sched_getaffinity(0),
        os.getpriority(os.PRIO_PROCESS, 0),
        os.sched_getscheduler(0),
    )


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
    """A port in TIME_WAIT refuses the next one who wants it."""
    for name in SOCKETS:
        try:
            with open(f"/proc/net/{name}", encoding="ascii") as file:
                if len(file.readlines()) > 1:
                    return True
        except FileNotFoundError:  # a kernel without IPv6
            continue
    return False


class Host:
    def __init__(self, control, order):
        self._control = control
        self._script = order["script"]
        with open(self._script, encoding="utf-8") as file:
            self._code = compile(file.read(), self._script, "exec")
        self._own = own_state()
        self._places = {place: survey(place) for place in PLACES}

    def serve(self):
        while True:
            message = self._control.next()
            # What comes for a run that has ended is late.
            if "run" in message:
                self._run(message)

    def _run(self, message):
        pairs = [socket.socketpair() for _ in range(3)]
        pid = os.fork()
        if pid == 0:
            self._become_child(message["argv"], pairs)
        for _, theirs in pairs:
            theirs.close()
        ours = [mine for mine, _ in pairs]
        self._relay(pid, *ours)
        kill_child(pid)
        _, status = os.waitpid(pid, 0)
        kill_all()
        self._drain(ours)
        for mine in ours:
            mine.close()
        spent = sockets_linger()
        for keep in self._places.values():
            empty(keep)
        if self._own != own_state() or self._places != {place: survey(place) for place in PLACES}:
            raise SystemExit("this process or its folders were changed")
        self._control.send({"ended": message["run"], "status": os.waitstatus_to_exitcode(status), "spent": spent})

    def _relay(self, pid, to_child, out, err):
        """Until the child has ended or the grader wants it to."""
        ended = os.pidfd_open(pid)
        waiting = [ended, self._control.incoming, out, err]
        try:
            while not self._obey(to_child):
                ready, _, _ = select.select(waiting, [], [])
                for source, name in ((out, "out"), (err, "err")):
                    if source in ready and not self._pass_on(source, name):
                        waiting.remove(source)
                if ended in ready:
                    return
                if self._control.incoming in ready:
                    self._control.receive()
        finally:
            os.close(ended)

    def _obey(self, to_child):
        """Whether the child is to be ended."""
        while self._control.has_message():
            message = self._control.next()
            if "stop" in message:
                return True
            try:
                to_child.sendall(message["in"].encode("latin-1"))
            except (BrokenPipeError, ConnectionResetError):
                pass  # how the child ended is told by its status
        return False

    def _pass_on(self, source, name):
        try:
            data = source.recv(CHUNK)
        except ConnectionResetError:  # the child ended without reading all that it was told
            return False
        if data:
            self._control.send({name: data.decode("latin-1")})
        return bool(data)

    def _drain(self, ours):
        """Nobody is left to write."""
        _, out, err = ours
        for source, name in ((out, "out"), (err, "err")):
            while self._pass_on(source, name):
                pass

    def _become_child(self, argv, pairs):
        leave = os._exit
        status = 1
        try:
            self._control.close()
            for number, (mine, theirs) in enumerate(pairs):
                mine.close()
                os.dup2(theirs.fileno(), number)
                theirs.close()
            sys.argv[:] = [self._script, *argv]
            exec(self._code, {"__name__": "__main__", "__file__": self._script, "__builtins__": __builtins__})
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                leave(status)


def kill_child(pid):
    """And all others, until the child can be reaped."""
    deadline = time.monotonic() + CLEAN_UP_SECONDS
    os.kill(-1, signal.SIGKILL)
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            raise TimeoutError("the child does not end")
        time.sleep(0.001)


def main():
    require_sandbox()
    close_process()
    control = Control()
    order = control.next()
    preload(order)
    host = Host(control, order)
    gc.collect()
    gc.freeze()
    control.send({"ready": True})
    host.serve()


main()
