"""Puts a running `chatrex serve` under load, with bad requests and clients that hang up among the good ones, and compares each
answer with the answer to the same request alone. Python's standard library is enough.

    chatrex serve --port 8080 --quiet &
    python3 Scripts/server/load.py http://127.0.0.1:8080 Examples/images/*.jpg --clients 16 --minutes 30
    python3 Scripts/server/load.py http://127.0.0.1:8080 Examples/images/*.jpg --throughput

The first prints counts, wrong answers, latencies and memory, and fails when an answer was wrong, a status was not the
expected one, or memory grew by more than 5 % between the third tenth of the time and the last. The second prints detections a second with
one client and with eight; no picture is prepared twice.
"""

import argparse
import base64
import collections
import http.client
import random
import sys
import threading
import time

import asking

arguments = argparse.ArgumentParser()
arguments.add_argument("address")
arguments.add_argument("pictures", nargs="+")
arguments.add_argument("--clients", type=int, default=16)
arguments.add_argument("--minutes", type=float, default=30)
arguments.add_argument("--throughput", action="store_true")
arguments = arguments.parse_args()

server = asking.Server(arguments.address)
pictures = [open(path, "rb").read() for path in arguments.pictures]

# Requests


def good_requests():
    yield from asking.good_requests(pictures)
    for picture in pictures:
        image = base64.b64encode(picture).decode()
        yield "/v1/detect", {"image": image, "phrases": "the leftmost book", "granularity": "both"}
        yield "/v1/chat/completions", asking.chat(picture, "What is there?")


def bad_requests():
    picture = base64.b64encode(pictures[0]).decode()
    cut = base64.b64encode(pictures[0][:3000]).decode()
    yield "/v1/detect", {"image": cut, "phrases": "cat"}, {400}
    yield "/v1/detect", {"image": "no base64!", "phrases": "cat"}, {400}
    yield "/v1/detect", {"image": picture, "phrases": ""}, {400}
    yield "/v1/detect", {"image": picture, "phrases": [f"thing {number}" for number in range(300)]}, {400}
    yield "/v1/detect", {"phrases": "cat"}, {400}
    yield "/v1/regions", {"image": picture, "boxes": [[5, 5, 1]]}, {400}
    yield "/v1/regions", {"image": picture, "boxes": [[50, 50, 50, 50]]}, {400}
    yield "/v1/caption", {"image": picture, "style": "loud"}, {400}
    yield "/v1/chat/completions", {"messages": []}, {400}
    yield "/v1/chat/completions", asking.chat(pictures[0], "dog", task="detect", max_tokens=0), {400}
    yield "/v1/chat/completions", {"messages": [{"role": "user", "content": [
        {"type": "text", "text": "dog"}, {"type": "image_url", "image_url": {"url": "http://10.0.0.1/a.jpg"}}]}]}, {400}
    yield "/v1/nothing", {"image": picture}, {404}
    yield "/v1/detect", "{" * 2000, {400, 415}
    yield "/v1/detect", "A" * (21 << 20), {413}


# Load


def load():
    good, bad = list(good_requests()), list(bad_requests())
    expected = []
    for path, body in good:
        status, answer = server.ask("POST", path, body)
        if status != 200:
            sys.exit(f"{path} alone: {status} {answer[:300]!r}")
        expected.append(asking.essence(body, answer))
    print(f"{len(good)} requests have an answer of their own; {arguments.clients} clients begin", flush=True)

    lock = threading.Lock()
    counts, latencies, problems = collections.Counter(), collections.defaultdict(list), []
    start = time.monotonic()
    end = start + arguments.minutes * 60

    def client(number):
        choice = random.Random(number)
        while time.monotonic() < end:
            kind = choice.random()
            began = time.monotonic()
            try:
                if kind < 0.85:
                    index = choice.randrange(len(good))
                    path, body = good[index]
                    status, answer = server.ask("POST", path, body)
                    with lock:
                        counts[f"{path} {status}"] += 1
                        if status == 200:
                            latencies[path].append(time.monotonic() - began)
                            found = asking.essence(body, answer)
                            if not asking.is_same(found, expected[index]):
                                problems.append(f"wrong: {path} {str(found)[:300]} instead of {str(expected[index])[:300]}")
                        elif status != 429:
                            problems.append(f"{path}: {status} {answer[:200]!r}")
                    if status == 429:
                        time.sleep(choice.uniform(0.2, 1))
                elif kind < 0.95:
                    path, body, statuses = choice.choice(bad)
                    status, answer = server.ask("POST", path, body)
                    with lock:
                        counts[f"bad {path} {status}"] += 1
                        if status not in statuses | {429}:
                            problems.append(f"bad {path}: {status} {answer[:200]!r}")
                else:
                    path, body = choice.choice(good)
                    try:
                        server.ask("POST", path, body, timeout=choice.uniform(0.01, 0.5))
                    except (TimeoutError, OSError, http.client.HTTPException):
                        pass
                    with lock:
                        counts["hung up"] += 1
            except ValueError as error:
                with lock:
                    problems.append(f"broken: {path}: {error}")
            except (OSError, http.client.HTTPException) as error:
                # A server that refuses a body while it is being sent may close before all is written.
                with lock:
                    counts[f"connection: {type(error).__name__}"] += 1
                    if kind < 0.85:
                        problems.append(f"connection: {error!r}")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(arguments.clients)]
    for thread in threads:
        thread.start()
    samples = []
    while time.monotonic() < end:
        time.sleep(min(10, max(0.1, end - time.monotonic())))
        samples.append((time.monotonic() - start, server.memory()))
    for thread in threads:
        thread.join()

    # Memory goes up and down with what is under way, so spans are compared, each a tenth of the time.
    whole = arguments.minutes * 60

    def mean(begin):
        span = [bytes for at, bytes in samples if begin <= at / whole < begin + 0.1]
        return sum(span) / max(len(span), 1)

    warm, late = mean(0.2), mean(0.9)
    growth = late / warm - 1 if warm else 0
    for name, count in sorted(counts.items()):
        print(f"{count:7d}  {name}")
    for path, values in sorted(latencies.items()):
        print(f"{path:24s} p50 {asking.percentile(values, .5):6.2f} s  p95 {asking.percentile(values, .95):6.2f} s  "
              f"p99 {asking.percentile(values, .99):6.2f} s")
    print("memory by tenths of the time: " + ", ".join(f"{mean(tenth / 10) / 2**20:.0f}" for tenth in range(10)) + " MiB")
    print(f"memory: {warm / 2**20:.0f} MiB after a fifth of the time, {late / 2**20:.0f} MiB at the end ({growth:+.1%})")
    print(f"problems: {len(problems)}")
    for problem in problems[:10]:
        print("  " + problem)
    alive = server.ask("GET", "/healthz")[0] == 200
    sys.exit(0 if alive and not problems and growth <= 0.05 else 1)


# Throughput


def throughput():
    numbers = iter(range(1, 10**9))
    lock = threading.Lock()

    def detections(clients, seconds):
        done, end = [], time.monotonic() + seconds

        def client():
            while time.monotonic() < end:
                with lock:
                    number = next(numbers)
                # A score that no request had before makes the server prepare the picture anew.
                body = {"image": base64.b64encode(pictures[number % len(pictures)]).decode(), "phrases": ["cat", "dog", "book"],
                        "proposal_min_score": 0.15 + number * 1e-9}
                began = time.monotonic()
                status, answer = server.ask("POST", "/v1/detect", body)
                if status != 200:
                    sys.exit(f"{status} {answer[:200]!r}")
                done.append(time.monotonic() - began)

        began = time.monotonic()
        threads = [threading.Thread(target=client) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(done) / (time.monotonic() - began), done

    detections(1, 5)
    rates = {}
    for clients in (1, 8):
        rates[clients], latencies = detections(clients, 40)
        print(f"{clients} clients: {rates[clients]:.2f} detections a second, "
              + ", ".join(f"p{round(share * 100)} {asking.percentile(latencies, share):.2f} s" for share in (.5, .95, .99)))
    print(f"ratio: {rates[8] / rates[1]:.2f}")


throughput() if arguments.throughput else load()
