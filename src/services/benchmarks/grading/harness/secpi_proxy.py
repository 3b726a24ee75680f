"""The module under test as the tests see it: every top-level function is forwarded to the sample's process."""

import os
import sys
import types

import secpi_channel
import secpi_wire


class ProxyModule(types.ModuleType):
    def __init__(self, name, channel):
        super().__init__(name)
        self.__dict__["_secpi_channel"] = channel

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        forward = _forwarder(self.__dict__["_secpi_channel"], name)
        self.__dict__[name] = forward
        return forward


def _forwarder(channel, name):
    def forward(*args, **kwargs):
        umask = os.umask(0o022)
        os.umask(umask)
        request = {
            "function": name,
            "args": secpi_wire.encode(args),
            "kwargs": secpi_wire.encode(kwargs),
            "cwd": os.getcwd(),
            "umask": umask,
        }
        return result_of(channel.request(request))

    forward.__name__ = forward.__qualname__ = name
    return forward


def result_of(reply):
    """The value, or the sample's exception raised. A malformed reply is an error of the sample."""
    try:
        printed = reply.get("printed", "")
        error = reply.get("error")
        value = None if error else secpi_wire.decode(reply["value"])
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as cause:
        raise RuntimeError("the sample sent something that is not plain data") from cause
    if isinstance(printed, str) and printed:
        sys.stdout.write(printed)
    if error:
        raise secpi_channel.builtin_error(error)
    return value


def random_control(channel):
    """`random_control.seed(n)` seeds Python's `random` where the sample runs."""
    module = types.ModuleType("random_control")

    def seed(number):
        channel.request({"seed": int(number)})

    module.seed = seed
    return module
