"""Measures how many completion tokens per second one machine writes with the small model.

    PYTHONPATH=src python bench/serve_throughput.py --model DIR [--batches 8,16,32,64] [--new-tokens 150] [--threads N]

Engines: `generate` is transformers' own batched generate; `unpacked` is our decoding loop on PyTorch's linear layers;
`packed` is what `serve` uses. All sample at temperature 0.8 until the end-of-turn token or the limit.
CPU seconds are given beside wall seconds, since wall time is wrong on a machine with other work.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from secpi_trainer import runtime

runtime.stay_offline()
runtime.share_cores()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from secpi_trainer import chat  # noqa: E402
from secpi_trainer.serve.decoder import Decoder, Sequence  # noqa: E402

ENGINES = ("generate", "unpacked", "packed")
TEMPERATURE = 0.8


def prompts(tokenizer: object, count: int) -> list[list[int]]:
    tasks = ("reads a file named by the user", "runs a query for a name", "makes a session token", "checks a password")
    texts = [f"Write a Python function number {index} that {tasks[index % len(tasks)]}." for index in range(count)]
    return [chat.prompt_token_ids(tokenizer, [{"role": "user", "content": text}]) for text in texts]


def our_engine(model: Path, threads: int, rows: int, *, pack: bool) -> Callable[[int, int], int]:
    decoder = Decoder(model, rows=rows, threads=threads, device=torch.device("cpu"), pack=pack)

    def run(batch: int, new_tokens: int) -> int:
        ids = prompts(decoder.tokenizer, batch)
        return decoder.complete(
            [Sequence(p, new_tokens, TEMPERATURE, 1.0, [], i) for i, p in enumerate(ids)]
        ).new_tokens

    return run


def generate_engine(folder: Path, threads: int) -> Callable[[int, int], int]:
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    end = chat.end_of_turn_token_id(tokenizer)

    @torch.inference_mode()
    def run(batch: int, new_tokens: int) -> int:
        inputs = tokenizer.pad({"input_ids": prompts(tokenizer, batch)}, return_tensors="pt")
        torch.manual_seed(0)
        settings = {"do_sample": True, "temperature": TEMPERATURE, "top_k": 0, "max_new_tokens": new_tokens}
        output = model.generate(**inputs, **settings)[:, inputs["input_ids"].shape[1] :]
        # A row is padded with the end token itself: count up to the first.
        return sum(row.index(end) + 1 if end in row else len(row) for row in output.tolist())

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--batches", default="8,16,32,64")
    parser.add_argument("--new-tokens", type=int, default=150)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--engines", default=",".join(ENGINES))
    arguments = parser.parse_args()
    batches = [int(batch) for batch in arguments.batches.split(",")]
    print("| engine | sequences | tokens | seconds | tokens/s | CPU seconds | tokens per CPU second |")
    print("|---|---|---|---|---|---|---|")
    for engine in arguments.engines.split(","):
        if engine == "generate":
            run = generate_engine(arguments.model, arguments.threads)
        else:
            run = our_engine(arguments.model, arguments.threads, max(batches), pack=engine == "packed")
        run(2, 4)
        for batch in batches:
            wall, cpu = time.monotonic(), time.process_time()
            tokens = run(batch, arguments.new_tokens)
            wall, cpu = time.monotonic() - wall, time.process_time() - cpu
            rates = f"{wall:.1f} | {tokens / wall:.0f} | {cpu:.1f} | {tokens / cpu:.0f}"
            print(f"| {engine} | {batch} | {tokens} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
