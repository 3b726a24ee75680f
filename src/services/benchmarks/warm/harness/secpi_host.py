"""
A Python that has imported what many runs need, and forks a child for each of them; one at a time. It relays between the
grader and the child, so the child has no descriptor of the grader's, and it leaves nothing of the child behind. Whatever
is not as it should be ends this process, and the sandbox with it. See DESIGN.md beside the folder of this file.
"""

import ctypes
import gc
import os
import socket
import sys
import types

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import secpi_control
import secpi_preload
import secpi_remains

sys.path.remove(HERE)

PR_SET_DUMPABLE = 4


def require_sandbox():
    """This process kills everything that it can see."""
    if os.getpid() > 9 or os.getuid() != 65534 or os.uname().nodename != "sandbox":
        raise SystemExit("not in a sandbox of its own")


def close_process():
    """Closes /proc/PID/mem and /proc/PID/fd to other processes of the same user."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


class Host:
    def __init__(self, control, script):
        self._control = control
        self._script = script
        with open(script, encoding="utf-8") as file:
            self._code = compile(file.read(), script, "exec")
        self._start = secpi_remains.Start()

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
        relay = secpi_control.Relay(self._control, [mine for mine, _ in pairs])
        relay.until_end(pid)
        secpi_remains.kill_child(pid)
        _, status = os.waitpid(pid, 0)
        secpi_remains.kill_all()
        relay.drain()
        spent = secpi_remains.sockets_linger() or self._start.has_traffic()
        self._start.restore()
        self._control.send({"ended": message["run"], "status": os.waitstatus_to_exitcode(status), "spent": spent})

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
            # Python's own generator is seeded anew in each child; numpy's is not.
            if (numpy := sys.modules.get("numpy")) is not None:
                numpy.random.seed()
            main = types.ModuleType("__main__")
            main.__dict__.update(__file__=self._script, __builtins__=__builtins__)
            sys.modules["__main__"] = main
            exec(self._code, main.__dict__)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            try:
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                leave(status)


def main():
    require_sandbox()
    close_process()
    control = secpi_control.Control()
    order = control.next()
    secpi_preload.preload(order)
    host = Host(control, order["script"])
    gc.collect()
    gc.freeze()
    control.send({"ready": True})
    host.serve()


if __name__ == "__main__":
    main()
