"""What every worker process does: it reads batches of requests as JSON lines and answers each request with a line.

The script of a worker follows this text. It ends with `serve(load)`, where `load(settings)` prepares the work and
returns a function from a list of requests to their results, in their order.

    read     {"requests": [{"id": 7, "payload": ...}, ...]}
    written  {"ready": true} once, or {"fatal": "what is missing"}; then {"id": 7, "result": ...} or
             {"id": 7, "error": "..."} for each request, and {"alive": true} when a long request gets on
"""
import sys

# No module is taken from the folder that the program happens to run in.
sys.path[:] = [place for place in sys.path if place]

import json
import os
import queue
import threading
import time

# One process is one core's work; the threads of numerical libraries would only get into each other's way.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

# Answers go to the first standard output; whatever libraries print goes to standard error and cannot come between.
_answers = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)


class Unusable(Exception):
    """Something that the worker needs is missing; the message says what."""


def alive():
    """Says during a long request that it gets on."""
    _write({"alive": True})
    _answers.flush()


def serve(load):
    lines = queue.Queue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    try:
        answer = load(json.loads(sys.argv[1]))
    except Unusable as problem:
        _write({"fatal": str(problem)})
        _end(3)
    _write({"ready": True})
    _answers.flush()
    while True:
        _answer(answer, json.loads(lines.get())["requests"])
        _answers.flush()


def _answer(answer, requests):
    done = 0
    try:
        for result in answer([request["payload"] for request in requests]):
            _write({"id": requests[done]["id"], "result": result})
            done += 1
        return
    except Exception as problem:
        if len(requests) - done == 1:
            _write({"id": requests[done]["id"], "error": f"{type(problem).__name__}: {problem}"})
            return
    for request in requests[done:]:  # one of them is at fault: the others are answered all the same
        _answer(answer, [request])


def _write(message):
    _answers.write(json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n")


def _read(lines):
    for line in sys.stdin.buffer:
        if line.endswith(b"\n"):
            lines.put(line)
    os._exit(0)  # the program has ended, or wants nothing more


def _watch(parent):
    # Should anything else hold standard input open after the program's death. (PR_SET_PDEATHSIG would not do: it
    # watches the thread that started this process, and threads come and go.)
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


def _end(status):
    _answers.flush()
    sys.stderr.flush()
    os._exit(status)
