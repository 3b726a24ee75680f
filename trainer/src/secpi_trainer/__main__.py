"""Command line: prepare-model, train, serve."""

from __future__ import annotations

import argparse
import sys
import traceback
from pathlib import Path

from . import runtime
from .errors import EXIT_FINISHED, TrainerError, unexpected_failure
from .protocol import write_line


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
    return parser


def main(argv: list[str]) -> int:
    """Runs one command and returns the exit code (0, 64, 70 or 75)."""
    arguments = _parser().parse_args(argv)
    runtime.stay_offline()
    runtime.share_cores()
    protocol = runtime.claim_stdout()
    try:
        if arguments.command == "prepare-model":
            from .prepare_model import prepare_model

            prepare_model(arguments.out, protocol)
            return EXIT_FINISHED
        runtime.die_with_parent()
        if arguments.command == "train":
            from .train.run import run_training

            return run_training(arguments.config, protocol)
        from .serve.run import run_server

        return run_server(arguments, protocol)
    except TrainerError as error:
        write_line(protocol, error.event())
        return error.exit_code
    except Exception as error:
        # The parent reads only events: whatever went wrong must reach it as one.
        traceback.print_exc()
        failure = unexpected_failure(error)
        write_line(protocol, failure.event())
        return failure.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
