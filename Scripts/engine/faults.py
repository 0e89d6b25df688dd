"""Asks an endpoint that misbehaves in every way, and disturbs the engine's surroundings; nothing may be lost.

    python3 Scripts/engine/faults.py .build/release/chatrex

Prints what the engine counted for each kind of trouble and fails when a picture is lost or an error is not told.
"""

import argparse
import collections
import hashlib
import http.server
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import pictures

HERE = pathlib.Path(__file__).parent
FAULTS = ["good", "good", "good", "timeout", "429", "500", "truncated", "html", "empty", "chinese", "refusal", "reset"]


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers by a fault that the question's hash chooses. Passing faults are over after two attempts."""

    protocol_version = "HTTP/1.1"
    seen = collections.Counter()
    attempts = collections.Counter()
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.reply(200, json.dumps({"object": "list", "data": [{"id": "tiny"}]}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        digest = hashlib.sha256(json.dumps(json.loads(body)["messages"]).encode()).hexdigest()
        fault = FAULTS[int(digest[:8], 16) % len(FAULTS)]
        with self.lock:
            self.attempts[digest] += 1
            attempt = self.attempts[digest]
            self.seen[fault] += 1
        passes = fault in ("timeout", "429", "500", "truncated", "html", "reset") and attempt > 2
        if fault == "good" or passes:
            return self.say("A box beside another thing.")
        if fault == "timeout":
            time.sleep(3)
            return self.say("Too late.")
        if fault == "429":
            return self.reply(429, "{}", {"Retry-After": "0"})
        if fault == "500":
            return self.reply(500, "oops")
        if fault == "truncated":
            return self.reply(200, '{"choices": [{"message": {"content": "A bo')
        if fault == "html":
            return self.reply(200, "<html><body>Gateway</body></html>")
        if fault == "reset":
            self.connection.shutdown(2)
            self.close_connection = True
            return None
        return self.say({"empty": "", "chinese": "一只棕色的狗躺在绿色的草地上。", "refusal": "I'm sorry, but I can't help with that."}[fault])

    def say(self, text):
        self.reply(200, json.dumps({
            "choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5}}))

    def reply(self, status, text, headers=None):
        data = text.encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass


class Trial:
    def __init__(self, program, place):
        self.program, self.place, self.failed = program, place, False

    def run(self, recipe, source, out, *more, environment=None):
        return subprocess.run(
            [self.program, "engine", "run", str(recipe), "--in", str(source), "--out", str(out), *more],
            capture_output=True, text=True, env={**os.environ, **(environment or {})}, timeout=600)

    def status(self, out):
        return json.loads(subprocess.run(
            [self.program, "engine", "status", str(out), "--json"], check=True, capture_output=True).stdout)

    def check(self, name, holds, said):
        print(f"{'ok  ' if holds else 'FAIL'}  {name}: {said}", flush=True)
        self.failed |= not holds

    def ends(self, name, out, count, extra=""):
        status = self.status(out)
        ended = status["annotated"] + status["dropped"] + status["failed"]
        self.check(
            name, ended == count == status["pictures"],
            f"{status['annotated']} annotated, dropped {status['drops']}, failed {status['failures']}{extra}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--items", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        trial = Trial(str(pathlib.Path(options.program).resolve()), place)
        source = place / "source"
        source.mkdir()
        pictures.write_shard(source / "a.tar", 0, options.items)
        instant = HERE / "instant.yaml"
        endpoint(trial, source, options.items)
        corrupt_shard(trial, instant, options.items)
        locked_state(trial, instant, source, options.items)
        damaged_state(trial, instant, source)
        disk_full(trial, instant, source, options.items)
        dead_worker(trial, source, options.items)
    sys.exit(1 if trial.failed else 0)


def endpoint(trial, source, count):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    recipe = trial.place / "endpoint.yaml"
    text = (HERE / "instant.yaml").read_text().replace(
        "caption:\n  by: instant\n",
        "caption:\n  by: endpoint\n  endpoint:\n"
        f"    url: http://127.0.0.1:{server.server_port}\n    timeoutSeconds: 1\n    retryDelaySeconds: 0.01\n    concurrency: 8\n")
    recipe.write_text(text)
    out = trial.place / "endpoint"
    result = trial.run(recipe, source, out)
    trial.ends("endpoint with faults", out, count, f"; the server saw {dict(Endpoint.seen)}; exit {result.returncode}")
    before = sum(Endpoint.seen.values())
    shutil.rmtree(out / "shards")
    for file in out.glob("parts/*/state.sqlite*"):
        file.unlink()
    trial.run(recipe, source, out)
    after = sum(Endpoint.seen.values()) - before
    good = Endpoint.seen["good"]
    trial.check("answers are not paid for twice", after < before - good, f"{before} requests at first, {after} when all was done again")
    server.shutdown()
    server.server_close()
    other = trial.place / "down"
    recipe.write_text(text.replace("concurrency: 8", "concurrency: 8\n    patienceSeconds: 1\n    attempts: 2"))
    result = trial.run(recipe, source, other)
    trial.check("endpoint that is down", result.returncode != 0 and "127.0.0.1" in result.stderr, result.stderr.strip().splitlines()[-1:])


def corrupt_shard(trial, recipe, count):
    source = trial.place / "corrupt"
    source.mkdir()
    pictures.write_shard(source / "a.tar", 0, 20)
    pictures.write_shard(source / "b.tar", 20, 20)
    pictures.write_shard(source / "c.tar", 40, 20)
    data = bytearray((source / "b.tar").read_bytes())
    (source / "b.tar").write_bytes(data[: len(data) // 2] + b"\xff" * 700)
    out = trial.place / "corrupt-out"
    result = trial.run(recipe, source, out)
    status = trial.status(out)
    trial.check(
        "corrupt shard on input", result.returncode == 0 and status["open"] == 0 and len(status["damages"]) == 1 and status["pictures"] >= 40,
        f"{status['pictures']} pictures; {status['damages']}")


def locked_state(trial, recipe, source, count):
    out = trial.place / "locked"
    trial.run(recipe, source, out)
    for file in (out / "shards").iterdir():
        file.unlink()
    database = next(out.glob("parts/*/state.sqlite"))
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("UPDATE item SET state = 'failed', stage = 0 WHERE state = 'annotated'")
    connection.execute("BEGIN IMMEDIATE")
    result = trial.run(recipe, source, out, "--retry-failed")
    told = result.stderr.strip().splitlines()[-1:]
    connection.execute("ROLLBACK")
    connection.close()
    trial.check("locked state", result.returncode not in (0, -6, -11) and "locked" in result.stderr, told)
    trial.run(recipe, source, out, "--retry-failed")
    trial.ends("unlocked again", out, count)


def damaged_state(trial, recipe, source):
    out = trial.place / "damaged"
    trial.run(recipe, source, out)
    database = next(out.glob("parts/*/state.sqlite"))
    for extra in out.glob("parts/*/state.sqlite-*"):
        extra.unlink()
    database.write_bytes(b"no database at all" * 1000)
    result = trial.run(recipe, source, out)
    trial.check("damaged state", result.returncode > 0 and "state.sqlite" in result.stderr, result.stderr.strip().splitlines()[-1:])


def disk_full(trial, recipe, source, count):
    small = trial.place / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(small)], capture_output=True).returncode != 0:
        print("skip  disk full: a small file system cannot be mounted")
        return
    try:
        out = small / "out"
        result = trial.run(recipe, source, out)
        told = result.stderr.strip().splitlines()[-1:]
        trial.check("disk full", result.returncode > 0 and bool(told), told)
        subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
        result = trial.run(recipe, source, out)
        trial.ends("disk with room again", out, count, f"; exit {result.returncode}")
    finally:
        subprocess.run(["umount", str(small)])


def dead_worker(trial, source, count):
    """The Python process that finds phrases is killed again and again."""
    recipe = trial.place / "worker.yaml"
    recipe.write_text(
        (HERE / "instant.yaml").read_text().replace("phrases:\n  by: instant", "phrases:\n  by: spacy")
        + "instantMilliseconds: 400\n")
    out = trial.place / "worker"
    kills, over = [0], threading.Event()

    def kill():
        while not over.wait(6):  # longer than spaCy takes to load
            found = subprocess.run(["pgrep", "-f", "noun_chunks"], capture_output=True, text=True).stdout.split()
            for pid in found:
                try:
                    os.kill(int(pid), 9)
                    kills[0] += 1
                except OSError:
                    pass

    killer = threading.Thread(target=kill)
    killer.start()
    result = trial.run(recipe, source, out)
    over.set()
    killer.join()
    if "install.sh" in result.stderr:
        print(f"skip  dead worker: {result.stderr.strip().splitlines()[-1]}")
        return
    trial.ends(f"worker killed {kills[0]} times", out, count, f"; exit {result.returncode}")


if __name__ == "__main__":
    main()
