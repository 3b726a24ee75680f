"""The line to the grader, and the passing on between it and the child, which does not have it."""

import collections
import json
import os
import select

CHUNK = 65_536


class Control:
    """The line to the grader: a JSON object a line; bytes of the child travel as latin-1."""

    def __init__(self):
        self.incoming = os.dup(0)
        self._outgoing = os.dup(1)
        self._pending = b""
        self._messages = collections.deque()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
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


class Relay:
    """Between the grader and one child; `ours` are the host's ends of its stdin, stdout and stderr."""

    def __init__(self, control, ours):
        self._control = control
        self._to_child, self._out, self._err = ours

    def until_end(self, pid):
        """Until the child has ended or the grader wants it to."""
        ended = os.pidfd_open(pid)
        waiting = [ended, self._control.incoming, self._out, self._err]
        try:
            while not self._obey():
                ready, _, _ = select.select(waiting, [], [])
                for source, name in ((self._out, "out"), (self._err, "err")):
                    if source in ready and not self._pass_on(source, name):
                        waiting.remove(source)
                if ended in ready:
                    return
                if self._control.incoming in ready:
                    self._control.receive()
        finally:
            os.close(ended)

    def drain(self):
        """Once nobody is left to write."""
        for source, name in ((self._out, "out"), (self._err, "err")):
            while self._pass_on(source, name):
                pass
        for mine in (self._to_child, self._out, self._err):
            mine.close()

    def _obey(self):
        """Whether the child is to be ended."""
        while self._control.has_message():
            message = self._control.next()
            if "stop" in message:
                return True
            try:
                self._to_child.sendall(message["in"].encode("latin-1"))
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
