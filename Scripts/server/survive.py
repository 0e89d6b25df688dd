"""Kills `chatrex serve`, ends it and leaves it in the middle of its work. Needs Linux; Python's standard library is enough.

    python3 Scripts/server/survive.py .build/release/chatrex nano Examples/images/*.jpg

Killed: kill -9 at a random moment under load, five times; the restarted server must answer as before. Ended: SIGTERM under
load, five times; what was sent before must be answered whole and rightly, streams included, new connections must be
refused, and the server must exit with 0 within its limit. Left: clients go away while long answers are written; the model must stop.
"""

import argparse
import base64
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

import asking

arguments = argparse.ArgumentParser()
arguments.add_argument("program")
arguments.add_argument("model")
arguments.add_argument("pictures", nargs="+")
arguments.add_argument("--clients", type=int, default=8)
arguments.add_argument("--rounds", type=int, default=5)
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--part", choices=["killed", "ended", "left"], action="append", help="that alone; may be repeated")
arguments = arguments.parse_args()

# The server's --deadline and the grace that it adds.
DRAIN_LIMIT = 120 + 5
pictures = [open(path, "rb").read() for path in arguments.pictures[:2]]
requests = list(asking.good_requests(pictures))
choice = random.Random(arguments.seed)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
server = asking.Server(f"http://127.0.0.1:{port}")


def check(name, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + name + ("" if holds else f": {detail}"), flush=True)
    check.failures += not holds


check.failures = 0


def listed(faults):
    return "; ".join(map(str, faults[:3])) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else "")


class Serving:
    """A server process, ready for requests."""

    def __init__(self):
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [arguments.program, "serve", "--model", arguments.model, "--port", str(port), "--quiet"],
            stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("listening"):
            sys.exit("the server does not start")
        self.listening = time.monotonic() - self.start

    def wait_until_ready(self):
        while server.ask("GET", "/readyz")[0] != 200:
            time.sleep(0.02)
        self.ready = time.monotonic() - self.start
        return self

    def cpu_seconds(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        self.process.terminate()
        self.process.wait(DRAIN_LIMIT)


class Call:
    """A request, when its last byte was sent, and what came of it."""

    def __init__(self, index):
        self.index, self.sent, self.status, self.fault = index, None, None, None
        path, self.body = requests[index]
        connection = http.client.HTTPConnection(server.host, server.port, timeout=150)
        try:
            connection.connect()
            connection.request("POST", path, json.dumps(self.body), {"Content-Type": "application/json"})
            self.sent = time.monotonic()
            response = connection.getresponse()
            self.status, self.answer = response.status, response.read()
            self.judge()
        except (OSError, http.client.HTTPException) as error:
            self.fault = f"no whole answer: {error!r}"
        finally:
            self.ended = time.monotonic()
            connection.close()

    def judge(self):
        if self.status != 200:
            self.fault = f"status {self.status} {self.answer[:200]!r}"
            return
        try:
            found = asking.essence(self.body, self.answer)
        except ValueError as error:
            self.fault = f"broken: {error}"
            return
        if not asking.is_same(found, expected[self.index]):
            self.fault = f"wrong: {str(found)[:300]} instead of {str(expected[self.index])[:300]}"

    @property
    def is_stream(self):
        return bool(self.body.get("stream"))

    def __str__(self):
        return f"{requests[self.index][0]}{' streamed' if self.is_stream else ''}: {self.fault}"


class Clients:
    """Clients that ask one thing after the other; every second one has its answers streamed."""

    def __init__(self):
        self.calls, self.lock, self.is_over = [], threading.Lock(), False
        seeds = [choice.random() for _ in range(arguments.clients)]
        self.threads = [threading.Thread(target=self.ask, args=(number, random.Random(seed)))
                        for number, seed in enumerate(seeds)]
        for thread in self.threads:
            thread.start()

    def ask(self, number, choice):
        streamed = [index for index, (_, body) in enumerate(requests) if bool(body.get("stream")) == (number % 2 == 0)]
        while not self.is_over:
            call = Call(choice.choice(streamed))
            with self.lock:
                self.calls.append(call)
            if call.sent is None:
                time.sleep(0.05)

    def stop(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        return self.calls


def answers_alone():
    found = []
    for path, body in requests:
        status, answer = server.ask("POST", path, body)
        if status != 200:
            sys.exit(f"{path} alone: {status} {answer[:300]!r}")
        found.append(asking.essence(body, answer))
    return found


# Killed


def killed():
    for number in range(arguments.rounds):
        serving = Serving().wait_until_ready()
        clients = Clients()
        moment = choice.uniform(0.2, 4)
        time.sleep(moment)
        serving.process.kill()
        serving.process.wait()
        calls = clients.stop()
        faults = [call for call in calls if call.status == 200 and call.fault]
        whole = sum(call.status == 200 for call in calls)
        check(f"killed after {moment:.1f} s of work, {whole} answers were right before", not faults, listed(faults))

        serving, tries = Serving(), 0
        waiting = threading.Thread(target=serving.wait_until_ready)
        waiting.start()
        while (call := Call(number % len(requests))).status == 503:
            time.sleep(0.1)
            tries += 1
        answered = time.monotonic() - serving.start
        waiting.join()
        check(f"started again: listens after {serving.listening:.2f} s, is ready after {serving.ready:.2f} s; "
              f"the next request is answered after {answered:.2f} s and {tries} times 503", not call.fault, call)
        serving.end()


# Ended


class Latecomer:
    """Connects again and again: when was it refused, and was it ever accepted after that?"""

    def __init__(self):
        self.refused, self.accepted_later, self.is_over = None, 0, False
        self.thread = threading.Thread(target=self.knock)
        self.thread.start()

    def knock(self):
        while not self.is_over:
            try:
                socket.create_connection((server.host, server.port), timeout=1).close()
                self.accepted_later += self.refused is not None
            except OSError:
                self.refused = self.refused or time.monotonic()
            time.sleep(0.02)

    def stop(self):
        self.is_over = True
        self.thread.join()


def ended():
    streams = 0
    for _ in range(arguments.rounds):
        serving = Serving().wait_until_ready()
        clients = Clients()
        # Connections on which nothing is asked must not keep the server.
        idle = socket.create_connection((server.host, server.port))
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        half = socket.create_connection((server.host, server.port))
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        moment = choice.uniform(1, 5)
        time.sleep(moment)
        at = time.monotonic()
        serving.process.send_signal(signal.SIGTERM)
        latecomer = Latecomer()
        try:
            status = serving.process.wait(DRAIN_LIMIT)
        except subprocess.TimeoutExpired:
            status = "none"
            serving.process.kill()
        exited = time.monotonic()
        latecomer.stop()
        calls = clients.stop()
        due = [call for call in calls if call.sent and call.sent <= at < call.ended and call.status not in (429, 503)]
        streamed = sum(call.is_stream for call in due)
        streams += streamed
        faults = [f"sent {1000 * (at - call.sent):.0f} ms before the signal: {call}" for call in due if call.fault]
        check(f"SIGTERM after {moment:.1f} s: {len(due)} requests sent before, {streamed} of them streamed, are answered",
              due and not faults, listed(faults) or "there was none")
        wrong = [call for call in calls if call.status == 200 and call.fault]
        check("no answer is wrong", not wrong, listed(wrong))
        refused = (latecomer.refused or exited) - at
        check(f"new connections are refused from {1000 * refused:.0f} ms on",
              refused < min(exited - at, 2) and not latecomer.accepted_later,
              f"the process ended after {exited - at:.2f} s; {latecomer.accepted_later} were accepted after a refusal")
        last = max([call.ended for call in due], default=at)
        check(f"exit with {status} {exited - at:.2f} s after the signal, {exited - last:.2f} s after the last answer",
              status == 0 and exited - last < 5, f"the limit is {DRAIN_LIMIT} s")
        idle.close()
        half.close()
    check("streams were among the answers", streams > 0)


# Left


def long_requests():
    """Requests whose answers take seconds."""
    image = base64.b64encode(pictures[0]).decode()
    boxes = [[20 * x, 20 * y, 20 * x + 90, 20 * y + 90] for x in range(10) for y in range(10)]
    yield "100 regions", "/v1/regions", {"image": image, "boxes": boxes, "level": "sentence"}
    yield "200 phrases", "/v1/detect", {"image": image, "phrases": [f"red thing {number}" for number in range(200)]}
    chat = asking.chat(pictures[0], "", task="describe", boxes=boxes, level="sentence", max_tokens=2000)
    yield "100 regions in a chat", "/v1/chat/completions", chat
    yield "100 regions in a streamed chat", "/v1/chat/completions", chat | {"stream": True}


def begin(path, body):
    """Sends a request; of a streamed answer some events are read."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=150)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    if body.get("stream"):
        events = b""
        while events.count(b"data: ") < 20 and (part := connection.sock.recv(4096)):
            events += part
    return connection


def leave(serving, name, path, body, count=1):
    start = time.monotonic()
    status, answer = server.ask("POST", path, body)
    whole = time.monotonic() - start
    check(f"{name}: the answer takes {whole:.1f} s alone", status == 200 and whole > 0.5,
          f"{status} {answer[:200]!r}: too short to be left")

    works = server.metrics()["chatrex_works_total"]
    connections = [begin(path, body) for _ in range(count)]
    time.sleep(whole / 4)
    accepted = server.metrics()["chatrex_accepted_requests"]
    for connection in connections:
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
    left = time.monotonic()
    while server.metrics()["chatrex_accepted_requests"] > 0 and time.monotonic() < left + 60:
        time.sleep(0.01)
    stopped = time.monotonic() - left
    done = server.metrics()["chatrex_works_total"] - works
    cpu = serving.cpu_seconds()
    time.sleep(1)
    cpu = serving.cpu_seconds() - cpu
    check(f"{name}, {count} at a time: all were accepted", accepted == count, f"{accepted:.0f}")
    check(f"the work stopped {1000 * stopped:.0f} ms after the clients had gone",
          stopped < max(0.5, whole / 3) and done == 0, f"{done:.0f} were worked on to the end")
    check(f"the processor rests: {cpu:.2f} s in the next second", cpu < 0.25)


def left():
    serving = Serving().wait_until_ready()
    several = list(long_requests())
    for name, path, body in several:
        leave(serving, name, path, body)
    leave(serving, *several[0], count=12)
    serving.end()


first = Serving().wait_until_ready()
print(f"the server listens after {first.listening:.2f} s and is ready after {first.ready:.2f} s")
expected = answers_alone()
first.end()
for part in [killed, ended, left]:
    if part.__name__ in (arguments.part or [part.__name__]):
        print(part.__name__)
        part()
sys.exit(1 if check.failures else 0)
