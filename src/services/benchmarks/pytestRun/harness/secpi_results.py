"""The channel of the results: a descriptor that no child inherits, in a process that no child can look into."""

import ctypes
import json
import os
import sys

PR_SET_DUMPABLE = 4


def close_process():
    """Closes /proc/PID/mem, /proc/PID/fd and ptrace to other processes of the same user."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


class Results:
    def __init__(self):
        # Python's own descriptors are closed on exec. What tests and programs print goes to the log.
        self._incoming = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
        self._out = os.dup(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        self._write = os.write
        self._dumps = json.dumps
        self.request = json.loads(self._incoming.readline())
        self._key = self.request.pop("key")

    def send(self, message):
        data = (self._key + " " + self._dumps(message) + "\n").encode("utf-8", "surrogatepass")
        while data:
            data = data[self._write(self._out, data) :]

    def next_order(self):
        """The next line of the grader; it ends the process by closing the channel."""
        line = self._incoming.readline()
        if not line:
            os._exit(3)
        return json.loads(line)


def take_out(folder):
    """Takes the harness's own folder off the module path: what tests import is theirs."""
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != folder]
