"""Command line: prepare-model, train, serve, serve-with, probe."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO

from . import runtime
from .errors import EXIT_FINISHED, TrainerError, unexpected_failure
from .protocol import write_line
from .train.process import train_process


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m secpi_trainer")
    commands = parser.add_subparsers(dest="command", required=True)

    prepare = commands.add_parser("prepare-model", help="write the bundled small model as a Hugging Face folder")
    prepare.add_argument("--out", type=Path, required=True, metavar="DIR")

    train = commands.add_parser("train", help="fine-tune; progress as JSON lines on stdout")
    train.add_argument("--config", type=Path, required=True, metavar="FILE.json")

    serve = commands.add_parser("serve", help="serve a model on 127.0.0.1 with the chat-completions API")
    serve.add_argument("--model", type=Path, required=True, metavar="DIR")
    serve.add_argument("--model-name", metavar="NAME", help="default: the folder's name")
    serve.add_argument("--port", type=int, default=0, help="0 picks a free port")
    serve.add_argument("--max-batch", type=int, default=64, metavar="N", help="sequences decoded together")
    serve.add_argument("--threads", type=int, metavar="N", help="default: all cores")

    external = commands.add_parser("serve-with", help="the same by another server's command, e.g. vLLM's")
    external.add_argument(
        "--command", dest="command_path", required=True, metavar="PATH", help="e.g. /opt/vllm/bin/vllm"
    )
    external.add_argument("--model", type=Path, required=True, metavar="DIR")
    external.add_argument("--model-name", metavar="NAME", help="default: the folder's name")
    external.add_argument("--ready-seconds", type=float, default=1800, metavar="S", help="large models load for long")
    external.add_argument("extra", nargs="*", metavar="ARGUMENT", help="passed on, after --")

    commands.add_parser("probe", help="print what this machine can train with, as one JSON line")
    return parser


def main(argv: list[str]) -> int:
    """Runs one command and returns the exit code (0, 64, 70 or 75)."""
    arguments = _parser().parse_args(argv)
    runtime.stay_offline()
    runtime.share_cores()
    protocol = runtime.claim_stdout()
    guarded = partial(_guarded, protocol)
    if arguments.command == "train":
        return train_process(arguments.config, protocol, guarded)
    return guarded(partial(_run, arguments, protocol))


def _run(arguments: argparse.Namespace, protocol: TextIO) -> int:
    if arguments.command == "prepare-model":
        from .prepare_model import prepare_model

        prepare_model(arguments.out, protocol)
        return EXIT_FINISHED
    runtime.die_with_parent()
    if arguments.command == "probe":
        from .probe import probe

        write_line(protocol, probe())
        return EXIT_FINISHED
    if arguments.command == "serve-with":
        from .serve.external import run_external

        return run_external(arguments, protocol)
    from .serve.run import run_server

    return run_server(arguments, protocol)


def _guarded(protocol: TextIO, run: Callable[[], int]) -> int:
    """Runs a command; the caller reads only events, so whatever goes wrong must reach it as one."""
    try:
        return run()
    except TrainerError as error:
        write_line(protocol, error.event())
        return error.exit_code
    except Exception as error:
        traceback.print_exc()
        failure = unexpected_failure(error)
        write_line(protocol, failure.event())
        return failure.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
