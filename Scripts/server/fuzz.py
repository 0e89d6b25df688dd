"""Sends a running `chatrex serve` ten thousand malformed or odd requests, and looks at what comes back.

    python3 -m venv .deps/fuzz && .deps/fuzz/bin/pip install schemathesis==4.32.5 pillow==13.0.0
    chatrex serve --port 8080 --quiet &
    .deps/fuzz/bin/python Scripts/server/fuzz.py http://127.0.0.1:8080 Examples/images/*.jpg

Three in ten come from schemathesis and the server's own /openapi.json, both as it describes them and against it; the others
are broken forms, JSON, pictures and HTTP of odd_requests.py. The seed makes the same requests again; `--only json:1234`
sends that one and shows it with its answer, `--without json:1234` leaves it out.

It fails when an answer is a 5xx (other than 503 with Retry-After), has a status or a form that it should not have, or does
not come within --patience seconds (odd HTTP: 10 s, slow clients: 80 s), when a connection is dropped on which an answer was
due, when the server counts more failures than came here, or when good requests are not answered in the end as they were in
the beginning.
"""

import argparse
import base64
import collections
import http.client
import io
import itertools
import json
import logging
import random
import re
import select
import socket
import sys
import threading
import time
import warnings

import hypothesis
import requests
import schemathesis

import asking
import odd_requests

arguments = argparse.ArgumentParser()
arguments.add_argument("address")
arguments.add_argument("pictures", nargs="+")
arguments.add_argument("--requests", type=int, default=10_000)
arguments.add_argument("--clients", type=int, default=8)
# Less than the 60 s after which the server closes what is idle.
arguments.add_argument("--patience", type=float, default=45)
arguments.add_argument("--seed", type=int, default=1)
arguments.add_argument("--only", metavar="KIND:NUMBER")
arguments.add_argument("--without", metavar="KIND:NUMBER", nargs="+", default=[])
arguments = arguments.parse_args()

server = asking.Server(arguments.address)
pictures = [open(path, "rb").read() for path in arguments.pictures]
SHARES = {"form": 0.2, "json": 0.2, "picture": 0.15, "http": 0.15}


# One connection


class Exchange:
    """What came back over a connection, and when."""

    def __init__(self, request, patience):
        self.data, self.is_closed, self.error = b"", False, None
        self.start = time.monotonic()
        self.end = self.start + patience
        try:
            with socket.create_connection((server.host, server.port), timeout=patience) as connection:
                self.talk(connection, request)
        except OSError as error:
            self.error = error
        self.seconds = time.monotonic() - self.start

    def talk(self, connection, request):
        for step in request.steps:
            if self.is_closed or time.monotonic() > self.end:
                break
            if isinstance(step, (int, float)):
                self.receive(connection, min(self.end, time.monotonic() + step))
                continue
            try:
                connection.shutdown(socket.SHUT_WR) if step is None else connection.sendall(step)
            except (BrokenPipeError, ConnectionResetError, TimeoutError) as error:
                # The server may have answered and closed already.
                self.error = error
                break
        if request.answer != "none":
            self.receive(connection, self.end)

    def receive(self, connection, end):
        while not self.is_closed and (left := end - time.monotonic()) > 0:
            if select.select([connection], [], [], left)[0]:
                part = connection.recv(1 << 16)
                self.data += part
                self.is_closed = not part


class Memory(io.BytesIO):
    """Bytes as the socket that http.client reads from."""

    def makefile(self, *_):
        return self

    def close(self):
        pass


def answers(data, method, count):
    """Statuses, headers and bodies of the answers in what came over a connection. Raises what http.client raises."""
    data = Memory(data)
    for _ in range(count):
        response = http.client.HTTPResponse(data, method=method)
        response.begin()
        yield response.status, response.headers, response.read()
    if rest := data.read(100):
        raise http.client.HTTPException(f"something follows the answer: {rest!r}")


# What is wrong with an answer


def refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def fault_in(status, headers, body, statuses):
    if status >= 500 and not (status == 503 and headers.get("Retry-After")):
        return f"status {status}"
    if status == 429 and not headers.get("Retry-After"):
        return "429 without Retry-After"
    if status not in statuses and status not in (429, 503):
        return f"unexpected status {status}"
    if b"root:x:0" in body:
        return "a file of the machine"
    kind = headers.get("Content-Type") or ""
    try:
        document = json.loads(body, parse_constant=refuse_constant) if kind.startswith("application/json") and body else None
        if status >= 400 and body and not {"message", "type", "code"} <= document["error"].keys():
            return "an error without its document"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"a broken document: {error!r}"
    if kind.startswith("text/event-stream") and (b'"server_error"' in body or not body.endswith(b"data: [DONE]\n\n")):
        return "a stream that failed or has no end"
    return None


def fault_of(request, exchange):
    """What is wrong with an exchange, and the status of its answer."""
    if request.answer == "none":
        return None, "gone"
    is_late = exchange.seconds >= exchange.end - exchange.start
    if is_late and (isinstance(exchange.error, TimeoutError) or not exchange.is_closed and not exchange.error):
        return "hang", "hang"
    if not exchange.data:
        return (None if request.answer == "optional" else f"dropped: {exchange.error or 'closed'}"), "closed"
    status = "broken"
    try:
        for status, headers, body in answers(exchange.data, request.method, request.count):
            if fault := fault_in(status, headers, body, request.statuses):
                return fault, status
    except (http.client.HTTPException, ValueError, AttributeError) as error:
        return f"broken answer: {error!r}", status
    if not exchange.data.startswith(request.holds):
        return f"no {request.holds!r}", status
    return None, status


# What happened


class Record:
    def __init__(self):
        self.lock = threading.Lock()
        self.statuses = collections.defaultdict(collections.Counter)
        self.seconds, self.slowest = [], []
        self.faults = collections.defaultdict(list)
        self.failures = 0
        self.is_gone = False
        self.begun = time.monotonic()

    def add(self, kind, status, seconds, fault, example):
        with self.lock:
            self.statuses[kind][status] += 1
            if kind != "slow":
                self.seconds.append(seconds)
                self.slowest = sorted([*self.slowest, (seconds, example.split(": ")[0])], reverse=True)[:3]
            self.failures += status in (500, 501, 502, 504)
            if fault:
                self.faults[re.sub(r"\d{4,}|0x\w+", "N", fault)[:160]].append(example)
            if kind != "slow" and (count := len(self.seconds)) % 1000 == 0:
                print(f"{count} requests after {time.monotonic() - self.begun:.0f} s", file=sys.stderr, flush=True)


record = Record()


# Requests of our own

makers = {"form": odd_requests.form_request, "json": odd_requests.json_request, "http": odd_requests.http_request,
          "picture": odd_requests.Pictures(pictures).request}


def made(kind, number):
    return makers[kind](random.Random(f"{arguments.seed} {kind} {number}"))


# Seconds in which an answer must be there and its connection closed. The model has no part in odd HTTP.
patience = {"slow": odd_requests.SLOW_LIMIT, "http": min(10, arguments.patience)}


def send(kind, number, request):
    exchange = Exchange(request, patience.get(kind, arguments.patience))
    if isinstance(exchange.error, ConnectionRefusedError):
        record.is_gone = True
    fault, status = fault_of(request, exchange)
    first = exchange.data[:60].split(b"\r\n")[0]
    end = exchange.data[-200:].split(b"\r\n\r\n")[-1] if fault else b""
    fault = fault and f"{kind}, {request.name.split()[0].strip(',')}: {fault}"
    record.add(kind, status, exchange.seconds, fault,
               f"--only {kind}:{number}  {request.name}: {exchange.seconds:.1f} s {first!r} {end!r}")
    return exchange


def send_only(kind, number):
    request = list(odd_requests.slow_requests())[number] if kind == "slow" else made(kind, number)
    print(request.name)
    for step in request.steps[:20]:
        print(f"  {step!r}" if len(repr(step)) < 3000 else f"  {step[:1500]!r} ... {step[-300:]!r} ({len(step)} bytes)")
    exchange = send(kind, number, request)
    state = "closed" if exchange.is_closed else "open"
    print(f"after {exchange.seconds:.2f} s, {state}, {exchange.error}:\n{exchange.data[:3000]!r}")
    print("faults: " + (", ".join(record.faults) or "none"))
    sys.exit(1 if record.faults else 0)


# Requests of schemathesis


def conformity():
    checks = schemathesis.checks
    names = ["status_code_conformance", "content_type_conformance", "response_schema_conformance",
             "response_headers_conformance"]
    return [checks.CHECKS.get_one(name) for name in names]


def send_openapi(total):
    """Requests that the server's document describes, and such that it forbids; each route in turn."""
    schema = schemathesis.openapi.from_url(arguments.address + "/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    checks, session, count = conformity(), requests.Session(), 0
    picture = "data:image/png;base64," + base64.b64encode(odd_requests.SMALL).decode()
    labels = "<RectangleLabels><Label value='dog'/></RectangleLabels>"
    model = json.loads(server.ask("GET", "/v1/models")[1])["data"][0]["id"]

    def with_picture(body):
        """Puts a picture in, so that the model comes to work, and keeps its answer short."""
        if not isinstance(body, dict):
            return
        body |= {key: value for key, value in {
            "image": picture, "model": model, "max_completion_tokens": 8, "max_tokens": 8, "label_config": labels,
            "messages": [{"role": "user", "content": [
                {"type": "text", "text": "dog"}, {"type": "image_url", "image_url": {"url": picture}}]}],
            "tasks": [{"data": {"image": picture}}]}.items() if key in body}

    def send_case(case, has_picture):
        if has_picture:
            with_picture(case.body)
        start, fault, status, shown = time.monotonic(), None, "dropped", ""
        try:
            response = case.call(session=session, timeout=arguments.patience)
            status, headers = response.status_code, {name.title(): values[0] for name, values in response.headers.items()}
            shown = repr(response.content[:200])
            fault = fault_in(status, headers, response.content, odd_requests.ANY)
            if not fault:
                # OpenAPI 3.1 has no words for the events of a stream.
                is_stream = headers.get("Content-Type", "").startswith("text/event-stream")
                case.validate_response(response, checks=checks[:2] if is_stream else checks)
        except requests.Timeout:
            fault, status = "hang", "hang"
        except requests.ConnectionError as error:
            fault = f"dropped: {error}"
        except schemathesis.errors.SchemathesisError as error:
            fault = f"not sent: {error}"
        except BaseExceptionGroup as error:
            faults = "; ".join(str(part).split("\n")[0] for part in error.exceptions)
            fault = f"{case.method} {case.path}: {faults} ({status})"
        record.add("openapi", status, time.monotonic() - start, fault,
                   f"{case.method} {case.path}: {shown}" + (f"\n    {case.as_curl_command()[:500]}" if fault else ""))

    modes = [(mode, picture) for mode in schemathesis.GenerationMode for picture in (False, False, False, True)][:-1]
    for turn in itertools.count():
        for operation in operations:
            mode, has_picture = modes[turn % len(modes)]

            @hypothesis.seed(arguments.seed * 1000 + turn)
            @hypothesis.settings(max_examples=40, deadline=None, database=None, phases=[hypothesis.Phase.generate],
                                 suppress_health_check=list(hypothesis.HealthCheck))
            @hypothesis.given(operation.as_strategy(generation_mode=mode))
            def run(case):
                nonlocal count
                if count < total and not record.is_gone:
                    count += 1
                    send_case(case, has_picture)

            if operation.body:
                run()
            else:
                count += 1
                send_case(operation.Case(), False)
            if count >= total or record.is_gone:
                return


# The whole


def good_answers():
    found = []
    for path, body in asking.good_requests(pictures[:2]):
        status, answer = server.ask("POST", path, body)
        if status != 200:
            sys.exit(f"a good request to {path} gets {status}: {answer[:300]!r}")
        found.append(asking.essence(body, answer))
    return found


def server_failures():
    return sum(value for name, value in server.metrics().items()
               if name.startswith("chatrex_requests_total") and re.search(r'status="50[0124]"', name))


def main():
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if arguments.only:
        kind, number = arguments.only.split(":")
        send_only(kind, int(number))

    before, failures, memory = good_answers(), server_failures(), [server.memory()]
    counts = {kind: round(share * arguments.requests) for kind, share in SHARES.items()}
    jobs = [(kind, number) for kind, count in counts.items() for number in range(count)]
    slow = list(odd_requests.slow_requests())
    openapi = arguments.requests - len(jobs) - len(slow)
    random.Random(arguments.seed).shuffle(jobs)
    jobs = iter([job for job in jobs if "{}:{}".format(*job) not in arguments.without])
    lock = threading.Lock()

    def client():
        while True:
            with lock:
                job = next(jobs, None)
            if job is None or record.is_gone:
                return
            send(*job, made(*job))

    threads = [threading.Thread(target=client) for _ in range(arguments.clients - 1)]
    threads += [threading.Thread(target=send, args=("slow", *job)) for job in enumerate(slow)]
    threads.append(threading.Thread(target=send_openapi, args=(openapi,)))
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads) and not record.is_gone:
            time.sleep(0.5)
            memory.append(server.memory())
    except OSError:
        record.is_gone = True
    for thread in threads:
        thread.join()

    try:
        if not all(map(asking.is_same, before, good_answers())):
            record.faults["good requests are answered otherwise than before"].append("")
        uncounted = server_failures() - failures - record.failures
        if uncounted > 0:
            record.faults[f"the server counts {uncounted:.0f} failures more than came here"].append("")
        memory.append(server.memory())
        first, last, most = (bytes / 2**20 for bytes in (memory[0], memory[-1], max(memory)))
        print(f"memory: {first:.0f} MiB before, {last:.0f} MiB after, {most:.0f} MiB at most")
    except OSError as error:
        record.faults[f"the server is gone: {error}; one of those that were dropped ended it"].append("")

    for kind, statuses in sorted(record.statuses.items()):
        print(f"{kind:8s} {statuses.total():6d}  " + "  ".join(f"{status}: {count}" for status,
            count in sorted(statuses.items(), key=str)))
    total = sum(statuses.total() for statuses in record.statuses.values())
    print(f"{total} requests in {time.monotonic() - record.begun:.0f} s; "
          + ", ".join(f"p{round(share * 100)} {asking.percentile(record.seconds, share):.3f} s" for share in (.5, .95, .99)))
    print("slowest: " + ", ".join(f"{seconds:.1f} s {name}" for seconds, name in record.slowest))
    print(f"violations: {sum(map(len, record.faults.values()))}")
    for fault, examples in sorted(record.faults.items(), key=lambda item: -len(item[1])):
        print(f"{len(examples):6d}  {fault}")
        for example in examples[:8 if "dropped" in fault else 3]:
            print("          " + example)
    sys.exit(1 if record.faults else 0)


main()
