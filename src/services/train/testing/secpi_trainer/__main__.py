"""Speaks the trainer's protocol without torch, for tests of its supervision: real process, signals, files and lease.

The "weights" are a chain of hashes, so that a repeated, skipped or reordered step shows in the result. FAKE_* variables
shape it: STEP_MS, LOAD_MS, SAVE_MS, BYTES (of a checkpoint), CRASH_AT, DIVERGE_AT and SILENT_AT (a step).
"""

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

SETTINGS = {name: int(os.environ.get(f"FAKE_{name}", "0")) for name in ("STEP_MS", "LOAD_MS", "SAVE_MS", "BYTES", "CRASH_AT", "DIVERGE_AT", "SILENT_AT")}
asked = {"save": False, "leave": False}


def say(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def leave(code):
    say(event="ended", exitCode=code)
    sys.exit(code)


def hold_lease(path, seconds):
    began = time.time()
    while True:
        time.sleep(min(1, seconds / 5))
        if time.time() - max(began, path.stat().st_mtime) > seconds:
            os._exit(70)


def save(out, state, eval_loss, final):
    step = state["step"]
    say(event="saving", step=step)
    began = time.time()
    time.sleep(SETTINGS["SAVE_MS"] / 1000)
    folder = out / "checkpoints" / f"step-{step:08d}"
    partial = folder.with_name(f".{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    (partial / "state.json").write_text(json.dumps(state))
    block = hashlib.sha256(state["weights"].encode()).digest()
    (partial / "weights.bin").write_bytes(block * max(1, SETTINGS["BYTES"] // len(block)))
    if not folder.exists():
        partial.rename(folder)
    files = [{"path": file.name, "bytes": file.stat().st_size} for file in sorted(folder.iterdir())]
    say(event="checkpoint", step=step, dir=str(folder), files=files, seconds=time.time() - began, evalLoss=eval_loss, final=final)


def main(config):
    if config["leaseFile"] is not None:
        threading.Thread(target=hold_lease, args=(Path(config["leaseFile"]), config["leaseSeconds"]), daemon=True).start()
    out = Path(config["outputDir"])
    time.sleep(SETTINGS["LOAD_MS"] / 1000)
    state = {"step": 0, "weights": str(config["seed"]), "losses": []}
    if config["resumeFrom"] is not None:
        state = json.loads((Path(config["resumeFrom"]) / "state.json").read_text())
    total = config["maxSteps"]
    signal.signal(signal.SIGUSR1, lambda *_: asked.update(save=True))
    signal.signal(signal.SIGTERM, lambda *_: asked.update(leave=True))
    say(event="started", totalSteps=total, trainRows=1, evalRows=1, guardRows=0, droppedRows=0, truncatedRows=0, trainTokens=10,
        packedSequences=None, trainableParameters=1, microBatchRows=config["microBatchRows"], learningRateScale=config["learningRateScale"],
        device="cpu", gpu=None, precision="fp32", attention="sdpa", flopsPerToken=6.0, peakFlops=None,
        resumedFromStep=state["step"] or None, importSeconds=0.1, loadSeconds=SETTINGS["LOAD_MS"] / 1000, versions={"fake": "1"})
    while state["step"] < total and not config["exportOnly"]:
        began = time.time()
        step = state["step"] + 1
        if step == SETTINGS["CRASH_AT"]:
            print("the fake breaks, as asked; hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaa", file=sys.stderr, flush=True)
            os.abort()
        if step == SETTINGS["DIVERGE_AT"]:
            say(event="error", code="TRAINING_DIVERGED", message="the loss is not finite", step=step)
            leave(70)
        while step == SETTINGS["SILENT_AT"]:
            sum(range(1000))
        time.sleep(SETTINGS["STEP_MS"] / 1000)
        weights = hashlib.sha256(f"{state['weights']}{step}".encode()).hexdigest()
        loss = int(weights[:8], 16) / 2**32
        state = {"step": step, "weights": weights, "losses": [*state["losses"], {"step": step, "loss": loss}]}
        say(event="step", step=step, loss=loss, learningRate=0.1, gradNorm=1.0, epoch=0, tokens=100, seconds=time.time() - began,
            peakShare=None, memoryBytes=1)
        evaluates = config["evalEverySteps"] is not None and step % config["evalEverySteps"] == 0
        if evaluates:
            say(event="evaluated", step=step, evalLoss=loss, guardLoss=None)
        if evaluates or step % config["checkpointEverySteps"] == 0 or step == total or asked["save"] or asked["leave"]:
            asked["save"] = False
            save(out, state, loss if evaluates else None, step == total)
        if asked["leave"] and step < total:
            leave(75)
    for name in ("adapter", "merged", "metrics"):
        (out / name).mkdir(parents=True, exist_ok=True)
        (out / name / "weights.txt").write_text(state["weights"])
    say(event="finished", step=state["step"], exportedStep=state["step"], adapterDir=str(out / "adapter"), mergedDir=str(out / "merged"),
        metricsDir=str(out / "metrics"), evalLossBefore=1.0, evalLossAfter=0.5, guardLossBefore=None, guardLossAfter=None,
        logitsMaxAbsDiff=0.1, lossCurve=state["losses"], evalCurve=[])
    leave(0)


main(json.loads(Path(sys.argv[sys.argv.index("--config") + 1]).read_text()))
