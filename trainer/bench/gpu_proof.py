"""Proves resume on a GPU and measures how fast it trains, through the trainer's own command line.

    python bench/gpu_proof.py --model DIR --out DIR [--steps 30] [--method lora] [--attention auto] ...

Trains once unbroken, once killed with SIGKILL some steps after a checkpoint, and goes on from that checkpoint. Prints
one JSON line: the largest difference of a step's loss (kernels that add in no fixed order make it more than 0), whether
the exported weights are the same, tokens per second and the share of the GPU's bf16 peak (medians over the steps after
the first five). Leaves with 1 when a loss differs by more than --tolerance, with 2 where there is no GPU.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parent.parent / "src"
WARM_UP_STEPS = 5
WORDS = ("read", "write", "open", "close", "hash", "query", "token", "path", "user", "input", "check", "value", "file")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "secpi_trainer", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(SOURCE)}


def probe() -> dict[str, Any]:
    done = subprocess.run(command("probe"), capture_output=True, text=True, check=True, env=environment())
    return json.loads(done.stdout)


def write_rows(path: Path, count: int, words: int) -> Path:
    """Rows of `words` words, more or less, that no model knows by heart; always the same."""
    source = random.Random(7)

    def text(length: int) -> str:
        return " ".join(source.choice(WORDS) for _ in range(length))

    with path.open("w", encoding="utf-8") as file:
        for index in range(count):
            length = source.randint(words // 2, words * 3 // 2)
            prompt = [{"role": "user", "content": f"Task {index}: {text(30)}"}]
            row = {"id": f"row-{index}", "prompt": prompt, "reasoning": text(length), "answer": text(length // 4)}
            file.write(json.dumps(row) + "\n")
    return path


def config(arguments: argparse.Namespace, output: Path, resume_from: str | None) -> dict[str, Any]:
    out = arguments.out
    return {
        "modelDir": str(arguments.model),
        "trainFile": str(out / "train.jsonl"),
        "evalFile": str(out / "eval.jsonl"),
        "guardFile": None,
        "outputDir": str(output),
        "resumeFrom": resume_from,
        "exportOnly": False,
        "seed": 7,
        "method": arguments.method,
        "lora": {"rank": 16, "alpha": 32, "dropout": 0.05, "targetModules": "all-linear"},
        "quantization": {"type": "nf4", "double": True},
        "attention": arguments.attention,
        "packing": arguments.packing,
        "epochs": 1000,
        "maxSteps": arguments.steps,
        "batchRows": arguments.batch_rows,
        "microBatchRows": arguments.micro_batch_rows,
        "learningRate": 1e-4,
        "scheduler": "cosine",
        "warmupShare": 0.1,
        "weightDecay": 0,
        "maxSequenceTokens": arguments.max_sequence_tokens,
        "longRows": "truncate",
        "precision": arguments.precision,
        "gradientCheckpointing": arguments.gradient_checkpointing,
        "checkpointEverySteps": arguments.checkpoint_every,
        "evalEverySteps": 5,
        "divergence": {"spikeFactor": None, "patienceSteps": 5},
        "learningRateScale": 1,
        "leaseFile": None,
        "leaseSeconds": 3600,
        "threads": None,
    }


@contextmanager
def training(arguments: argparse.Namespace, name: str, resume_from: str | None) -> Iterator[Iterator[dict[str, Any]]]:
    """The events of a trainer, which is killed when the block is left."""
    file = arguments.out / f"{name}.json"
    file.write_text(json.dumps(config(arguments, arguments.out / name, resume_from)), encoding="utf-8")
    with (arguments.out / f"{name}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command("train", "--config", str(file)), stdout=subprocess.PIPE, stderr=log, text=True, env=environment()
        )

        def events() -> Iterator[dict[str, Any]]:
            for line in process.stdout or ():
                event = json.loads(line)
                if event["event"] == "error":
                    raise SystemExit(f"{name}: {event['code']}: {event['message']} {event['remedy']}")
                yield event

        try:
            yield events()
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def train_to_the_end(arguments: argparse.Namespace, name: str, resume_from: str | None) -> list[dict[str, Any]]:
    with training(arguments, name, resume_from) as events:
        seen = []
        for event in events:
            seen.append(event)
            if event["event"] == "step":
                print(f"{name}: step {event['step']} loss {event['loss']:.4f}", file=sys.stderr)
    if not any(event["event"] == "finished" for event in seen):
        raise SystemExit(f"{name} ended without a result; see {arguments.out / name}.log")
    return seen


def train_until_killed(arguments: argparse.Namespace) -> str:
    """Kills the trainer two steps after its first checkpoint, whose folder is returned."""
    kept = None
    with training(arguments, "killed", None) as events:
        for event in events:
            if event["event"] == "checkpoint" and kept is None:
                kept = event
            if event["event"] == "step" and kept is not None and event["step"] >= kept["step"] + 2:
                return str(kept["dir"])
    raise SystemExit("the training ended before it was to be killed: raise --steps")


def weights_sha256(events: list[dict[str, Any]]) -> str:
    finished = next(event for event in events if event["event"] == "finished")
    digest = hashlib.sha256()
    for file in sorted(Path(finished["mergedDir"]).glob("*.safetensors")):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def prove(arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs the three trainings and compares them."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_rows(arguments.out / "train.jsonl", 256, arguments.max_sequence_tokens // 3)
    write_rows(arguments.out / "eval.jsonl", 8, arguments.max_sequence_tokens // 3)
    unbroken = train_to_the_end(arguments, "unbroken", None)
    resumed = train_to_the_end(arguments, "resumed", train_until_killed(arguments))
    losses = {event["step"]: event["loss"] for event in unbroken if event["event"] == "step"}
    again = {event["step"]: event["loss"] for event in resumed if event["event"] == "step"}
    step, difference = max(((n, abs(losses[n] - loss)) for n, loss in again.items()), key=lambda item: item[1])
    steady = [e for e in unbroken if e["event"] == "step" and e["step"] > WARM_UP_STEPS]
    shares = [event["peakShare"] for event in steady if event["peakShare"] is not None]
    started = unbroken[0]
    return {
        **{name: started[name] for name in ("gpu", "precision", "attention", "flopsPerToken", "peakFlops", "versions")},
        "model": arguments.model.name,
        "method": arguments.method,
        "packing": arguments.packing,
        "steps": len(losses),
        "resumedFromStep": resumed[0]["resumedFromStep"],
        "comparedSteps": len(again),
        "maxLossDifference": difference,
        "atStep": step,
        "lossAtThatStep": losses[step],
        "sameWeights": weights_sha256(unbroken) == weights_sha256(resumed),
        "tokensPerSecond": statistics.median(event["tokens"] / event["seconds"] for event in steady),
        "peakShare": statistics.median(shares) if shares else None,
        "peakMemoryBytes": max(event["memoryBytes"] for event in steady),
    }


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="everything is written here")
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--checkpoint-every", type=int, default=10, metavar="STEPS")
    parser.add_argument("--method", choices=("lora", "qlora", "full"), default="lora")
    parser.add_argument("--precision", choices=("auto", "bf16", "fp32"), default="bf16")
    parser.add_argument("--attention", choices=("auto", "eager", "sdpa", "flash"), default="auto")
    parser.add_argument("--packing", action="store_true")
    parser.add_argument("--gradient-checkpointing", action="store_true")
    parser.add_argument("--batch-rows", type=int, default=8)
    parser.add_argument("--micro-batch-rows", type=int, default=4)
    parser.add_argument("--max-sequence-tokens", type=int, default=2048)
    parser.add_argument("--tolerance", type=float, default=0.02, help="nats; of a step's loss")
    return parser.parse_args(arguments)


def main() -> int:
    arguments = parse(sys.argv[1:])
    if not probe()["gpus"]:
        print("This proof needs an NVIDIA GPU that torch can use, and none was found here.", file=sys.stderr)
        return 2
    result = prove(arguments)
    print(json.dumps(result))
    return 0 if result["maxLossDifference"] <= arguments.tolerance else 1


if __name__ == "__main__":
    sys.exit(main())
