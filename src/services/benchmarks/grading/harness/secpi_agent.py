"""
Hosts the sample: imports it on `load`, then answers calls. This process belongs to the sample, which may do
to it what it likes; whatever it sends is taken as the return value of a function and as nothing else.
"""

import importlib.util
import io
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import secpi_wire

MAX_PRINTED = 65_536


def describe(error):
    names = [kind.__name__ for kind in type(error).__mro__]
    try:
        message = str(error)
    except BaseException:
        message = "(no message)"
    return {"names": names, "message": message[:2000]}


def load(request):
    spec = importlib.util.spec_from_file_location(request["module"], request["path"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[request["module"]] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, request["entryPoint"], None)):
        raise AttributeError(f"the sample does not define {request['entryPoint']}")
    return module


def call(module, request):
    os.umask(request["umask"])
    if request["cwd"] != os.getcwd():
        os.chdir(request["cwd"])
    arguments = secpi_wire.decode(request["args"])
    named = secpi_wire.decode(request["kwargs"])
    return secpi_wire.encode(getattr(module, request["function"])(*arguments, **named))


def answer(state, request):
    """The reply of one request; what the sample prints meanwhile goes along for the tests to capture."""
    printed = io.StringIO()
    before, sys.stdout = sys.stdout, printed
    try:
        if "load" in request:
            state["module"] = load(request["load"])
            reply = {"value": None}
        elif "seed" in request:
            random.seed(request["seed"])
            reply = {"value": None}
        else:
            reply = {"value": call(state["module"], request)}
    except BaseException as error:
        reply = {"error": describe(error)}
    finally:
        sys.stdout = before
    reply["printed"] = printed.getvalue()[:MAX_PRINTED]
    return reply


def main():
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8", newline="\n")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.umask(0o022)
    state = {}
    for line in requests:
        envelope = json.loads(line)
        reply = answer(state, json.loads(envelope["body"]))
        replies.write(json.dumps({"id": envelope["id"], "body": json.dumps(reply)}) + "\n")
        replies.flush()


main()
