"""Trains on several processes and says what comes of it. Needs Linux and a Python with torch (for torchrun and for reading weights).

    .deps/venv/bin/python Scripts/training/parallel.py .build/release/chatrex --init Models/nano

equal:    a tiny proposal network and stage "joint" of a model, on one process and on two with one thread each, started from a
          plain loop and by torchrun: the first step's gradients and the weights at the end must agree.
killed:   kill -9 of one rank in the middle: the others must end by themselves, and the run must go on: with two processes to the
          very bits of a run that was left alone, and with one.
ended:    SIGTERM to one rank: all must save the same step and end with 130. A rank that is stopped (SIGSTOP): the others must
          end after the time limit.
refused:  variables that make no sense.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import torch

arguments = argparse.ArgumentParser()
arguments.add_argument("program")
arguments.add_argument("--init", help="model that stage joint starts from; left out without one")
arguments.add_argument("--steps", type=int, default=16, help="of the proposal network's comparison")
arguments.add_argument("--part", choices=["equal", "killed", "ended", "refused"], action="append", help="that alone; may be repeated")
arguments = arguments.parse_args()
program = os.path.abspath(arguments.program)
torchrun = pathlib.Path(sys.executable).with_name("torchrun")
work = pathlib.Path(tempfile.mkdtemp(prefix="parallel-"))

TINY = """
batchSize: 4
evaluationScenes: 2
sceneSide: 128
denoising: {count: 12}
encoderMatchesPerTarget: 2
phases: [{end: 1, sides: [64, 96]}]
network:
  backbone: {embed_dim: 16, depths: [1, 1, 1], num_heads: [1, 2, 4], window_size: 4, return_interm_indices: [1, 2]}
  d_model: 32
  n_heads: 4
  n_points: 2
  d_ffn: 64
  num_feature_levels: 3
  enc_layers: 1
  dec_layers: 2
  num_queries: 20
  group_norm_groups: 8
  size: 64
  max_size: 64
options:
  steps: %d
  learningRate: 1.0e-3
  warmupSteps: 2
  clipNorm: 1
  accumulation: 2
  averageDecay: 0.9
  checkpointMinutes: %g
  keptCheckpoints: 1000
  logSteps: 1
"""

JOINT = """
conversation: {batchSize: 4, encoderRate: 0.1, sequenceLimit: 600}
options: {steps: %d, learningRate: 1.0e-4, warmupSteps: 1, clipNorm: 3, averageDecay: 0.9, logSteps: 1, checkpointMinutes: 1.0e-9, keptCheckpoints: 1000}
"""


def check(name, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + name + ("" if holds else f": {detail}"), flush=True)
    check.failures += not holds


check.failures = 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def recipe(name, text):
    path = work / f"{name}.yaml"
    path.write_text(text)
    return str(path)


def plain_environment():
    return {key: value for key, value in os.environ.items() if key not in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")}


class Run:
    """Processes of one run, from a plain loop over ranks."""

    def __init__(self, command, processes, limit=600, **more):
        self.errors, self.processes, port = [], [], free_port()
        for rank in range(processes):
            environment = plain_environment() | {key: str(value) for key, value in more.items()}
            if processes > 1:
                environment |= dict(
                    RANK=str(rank), WORLD_SIZE=str(processes), MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port),
                    CHATREX_GROUP_TIMEOUT=str(limit))
            self.errors.append(tempfile.TemporaryFile("w+"))
            self.processes.append(subprocess.Popen(
                [program, *command], env=environment, stdout=subprocess.DEVNULL, stderr=self.errors[rank]))

    def text(self, rank):
        self.errors[rank].seek(0)
        return self.errors[rank].read()

    def wait(self, seconds=600):
        """Exit codes; what is left after the time is killed and has None."""
        codes, end = [], time.monotonic() + seconds
        for process in self.processes:
            try:
                codes.append(process.wait(max(0.1, end - time.monotonic())))
            except subprocess.TimeoutExpired:
                process.kill()
                codes.append(None)
        return codes


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def steps(folder):
    return {line["step"]: line["values"] for line in log(folder) if line["event"] == "step"} if (folder / "log.jsonl").exists() else {}


def wait_for_step(folder, step, seconds=300):
    end = time.monotonic() + seconds
    while time.monotonic() < end and max(steps(folder), default=0) < step:
        time.sleep(0.05)
    return max(steps(folder), default=0) >= step


def tensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    kinds = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name != "__metadata__" and entry["dtype"] in kinds and entry["data_offsets"][1] > entry["data_offsets"][0]:
            start, end = entry["data_offsets"]
            yield name, torch.frombuffer(bytearray(data[8 + size + start:8 + size + end]), dtype=kinds[entry["dtype"]]).float()


def apart(a, b, file, prefix=""):
    """The largest difference of two checkpoints' tensors, and the largest element."""
    ours, theirs = dict(tensors(a / file)), dict(tensors(b / file))
    assert ours.keys() == theirs.keys()
    names = [name for name in ours if name.startswith(prefix)]
    return (max((ours[name] - theirs[name]).abs().max().item() for name in names),
            max(ours[name].abs().max().item() for name in names))


def compare(name, one, other, last, rate):
    """The gradients of the first step, the losses of all and the weights of the last one."""
    off, size = apart(one / "step-1", other / "step-1", "training.safetensors", "first.")
    check(f"{name}: gradients of the first step, apart by {off / size:.1e} of the largest", off < 1e-4 * size)
    mine, yours = steps(one), steps(other)
    losses = max(abs(mine[step]["loss"] - yours[step]["loss"]) / mine[step]["loss"] for step in range(1, last + 1))
    norms = max(abs(mine[step]["norm"] - yours[step]["norm"]) / mine[step]["norm"] for step in range(1, last + 1))
    check(f"{name}: over {last} steps losses apart by at most {losses:.1e} and norms by {norms:.1e} of their size",
          losses < 1e-4 and norms < 1e-3)
    # Adam makes a whole step of a gradient that is nothing but rounding, so that single weights may differ by more.
    ours, theirs = dict(tensors(one / f"step-{last}" / "weights.safetensors")), dict(tensors(other / f"step-{last}" / "weights.safetensors"))
    off = torch.cat([(ours[key] - theirs[key]).abs() for key in ours])
    check(f"{name}: weights after them apart by {off.mean().item():.1e} on average and by {off.max().item():.1e} at most "
          f"(a step moves one by up to {rate:g})", off.mean().item() < rate / 100 and off.max().item() < last * rate)


def pace(folder):
    seconds = [values["seconds_per_step"] for values in steps(folder).values()][1:]
    return sorted(seconds)[len(seconds) // 2]


def equal():
    stages = [("upn", ["train", "upn", recipe("upn", TINY % (arguments.steps, 1e-9))], arguments.steps, 1e-3)]
    if arguments.init:
        stages.append(("joint", ["train", "joint", recipe("joint", JOINT % 3), "--init", arguments.init], 3, 1e-4))
    for stage, command, last, rate in stages:
        folders = {}
        for name, count in (("one", 1), ("two", 2)):
            folders[name] = work / f"{stage}-{name}"
            run = Run([*command, "--threads", "1", "--out", str(folders[name])], count)
            codes = run.wait()
            check(f"{stage}: {name} process(es) end with 0", codes == [0] * count, f"{codes}\n{run.text(0)}")
        compare(f"{stage}, two from a plain loop", folders["one"], folders["two"], last, rate)
        print(f"      {stage}: {pace(folders['one']):.3f} s/step on one process, {pace(folders['two']):.3f} on two, one thread each")
        folder = work / f"{stage}-torchrun"
        done = subprocess.run(
            [torchrun, "--no-python", "--nproc-per-node", "2", program, *command, "--threads", "1", "--out", str(folder)],
            env=plain_environment() | {"MASTER_PORT": str(free_port())}, capture_output=True, text=True)
        check(f"{stage}: torchrun ends with 0", done.returncode == 0, done.stderr[-2000:])
        compare(f"{stage}, two by torchrun", folders["one"], folder, last, rate)


def killed():
    command = ["train", "upn", recipe("long", TINY % (40, 0.02)), "--threads", "1"]
    whole = work / "whole"
    check("a run of 40 steps on two processes, left alone", Run([*command, "--out", str(whole)], 2).wait() == [0, 0])
    for victim, then in ((1, 2), (0, 2), (1, 1)):
        folder = work / f"killed-{victim}-{then}"
        run = Run([*command, "--out", str(folder)], 2)
        check(f"rank {victim} of 2, to be killed: the run gets to step 15", wait_for_step(folder, 15), run.text(0))
        run.processes[victim].kill()
        start = time.monotonic()
        codes = run.wait(90)
        seconds = time.monotonic() - start
        text = run.text(1 - victim).strip().splitlines()[-1]
        check(f"rank {1 - victim} ends by itself with 1 after {seconds:.1f} s", codes[1 - victim] == 1 and seconds < 60, codes)
        check("it says what happened and how to go on", "lost each other" in text and "Start all of them again" in text, text)
        print(f"      {text}")
        saved = max(int(path.name[5:]) for path in folder.glob("step-*"))
        codes = Run([*command, "--out", str(folder)], then).wait()
        first = [line["step"] for line in log(folder) if line["event"] == "start"][-1]
        check(f"{then} process(es) go on from step {saved} to the end", codes == [0] * then and first == saved, (codes, first))
        mine, yours = steps(whole), steps(folder)
        if then == 2:
            names = ("weights.safetensors", "training.safetensors")
            same = all((whole / "step-40" / name).read_bytes() == (folder / "step-40" / name).read_bytes() for name in names)
            check("weights and the optimiser's state at the end have the same bits as in the run that was left alone", same)
        else:
            off = abs(mine[saved + 1]["loss"] - yours[saved + 1]["loss"]) / mine[saved + 1]["loss"]
            check(f"the next step's loss is apart from that of the run that was left alone by {off:.1e} of its size", off < 1e-5)


def ended():
    command = ["train", "upn", recipe("endless", TINY % (100000, 0.05)), "--threads", "1"]
    for rank in (1, 0):
        folder = work / f"ended-{rank}"
        run = Run([*command, "--out", str(folder)], 2)
        check("a run gets to step 5", wait_for_step(folder, 5), run.text(0))
        run.processes[rank].send_signal(signal.SIGTERM)
        start = time.monotonic()
        codes = run.wait(60)
        last = log(folder)[-1]
        check(f"SIGTERM to rank {rank}: both end with 130 after {time.monotonic() - start:.1f} s", codes == [130, 130], codes)
        check("the step where they stopped is saved", last["event"] == "stop" and (folder / f"step-{last['step']}").exists(), last)
    folder = work / "torchrun-ended"
    run = subprocess.Popen(
        [torchrun, "--no-python", "--nproc-per-node", "2", program, *command, "--out", str(folder)],
        env=plain_environment() | {"MASTER_PORT": str(free_port())}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check("a run by torchrun gets to step 5", wait_for_step(folder, 5))
    run.send_signal(signal.SIGTERM)
    run.wait(60)
    last = log(folder)[-1]
    check("SIGTERM to torchrun: the step is saved", last["event"] == "stop" and (folder / f"step-{last['step']}").exists(), last)
    folder = work / "stuck"
    run = Run(["train", "upn", recipe("stuck", TINY % (100000, 1000)), "--threads", "1", "--out", str(folder)], 2, limit=10)
    check("a run with a time limit of 10 s gets to step 5", wait_for_step(folder, 5), run.text(0))
    run.processes[1].send_signal(signal.SIGSTOP)
    start = time.monotonic()
    try:
        code = run.processes[0].wait(60)
    except subprocess.TimeoutExpired:
        code = None
    seconds = time.monotonic() - start
    text = run.text(0).strip().splitlines()[-1]
    check(f"rank 1 hangs: rank 0 ends with 1 after {seconds:.1f} s", code == 1 and "did not take part in time" in text, f"{code} {text}")
    print(f"      {text}")
    for process in run.processes:
        process.kill()
        process.wait()


def refused():
    command = ["train", "upn", recipe("refused", TINY % (1, 1)), "--out", str(work / "refused")]
    for change, words in (({"RANK": "0"}, "WORLD_SIZE is not set"), ({"RANK": "2", "WORLD_SIZE": "2"}, "RANK is '2'"),
                          ({"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}, "MASTER_PORT is not set"),
                          ({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
                            "CHATREX_GROUP_TIMEOUT": "3"}, "joining at 127.0.0.1")):
        start = time.monotonic()
        done = subprocess.run([program, *command], env=plain_environment() | change, capture_output=True, text=True)
        wanted = 1 if "joining" in words else 64
        check(f"{words} ({time.monotonic() - start:.1f} s)", done.returncode == wanted and words in done.stderr,
              f"{done.returncode} {done.stderr[-500:]}")
    done = subprocess.run([program, *command], env=plain_environment() | {"RANK": "0", "WORLD_SIZE": "1"}, capture_output=True)
    check("a group of one is no group", done.returncode == 0, done.stderr[-500:])


try:
    for part in arguments.part or ["equal", "killed", "ended", "refused"]:
        print(f"-- {part}", flush=True)
        {"equal": equal, "killed": killed, "ended": ended, "refused": refused}[part]()
finally:
    shutil.rmtree(work, ignore_errors=True)
print("all as it should be" if check.failures == 0 else f"{check.failures} failed")
sys.exit(check.failures > 0)
