"""What the scripts beside it share: requests over HTTP, and what of an answer must stay the same whoever asks beside."""

import base64
import http.client
import json
import urllib.parse


class Server:
    """A running `chatrex serve`."""

    def __init__(self, address):
        address = urllib.parse.urlparse(address)
        self.host, self.port = address.hostname, address.port

    def ask(self, method, path, body=None, headers=None, timeout=150):
        """Status and body of the answer. A body that is a dictionary goes as JSON."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def metrics(self):
        """Values of /metrics by name with labels."""
        lines = self.ask("GET", "/metrics")[1].decode().splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))}

    def memory(self):
        return self.metrics()["process_resident_memory_bytes"]


def chat(picture, text, **more):
    """A question about the bytes of a picture, as OpenAI's interface asks it."""
    url = "data:image/jpeg;base64," + base64.b64encode(picture).decode()
    parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
    return {"messages": [{"role": "user", "content": parts}], **more}


def good_requests(pictures):
    """Path and body of requests of every kind, streamed ones among them."""
    for picture in pictures:
        image = base64.b64encode(picture).decode()
        yield "/v1/detect", {"image": image, "phrases": ["cat", "dog", "book", "bus"]}
        yield "/v1/count", {"image": image, "phrases": ["apple", "car"]}
        yield "/v1/caption", {"image": image, "style": "detailed"}
        yield "/v1/regions", {"image": image, "boxes": [[40, 40, 200, 180], [10, 20, 90, 300]], "level": "phrase"}
        yield "/v1/propose", {"image": image, "granularity": "both", "max_detections": 40}
        yield "/v1/chat/completions", chat(picture, "cat; dog", task="detect", stream=True)
        yield "/v1/chat/completions", chat(picture, "Tell a story.", task="chat", temperature=1, seed=7, stream=True)


def essence(body, answer):
    """Texts, labels, boxes and scores of an answer. Raises ValueError when the answer is not whole."""
    if body.get("stream"):
        events = answer.decode().split("\n\n")
        if events[-2:] != ["data: [DONE]", ""]:
            raise ValueError("the stream has no end")
        chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
        if any("error" in chunk for chunk in chunks):
            raise ValueError(f"the stream has an error: {chunks[-1]}")
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk.get("choices")]
        return {"text": "".join(delta.get("content") or "" for delta in deltas),
                "detections": [found for delta in deltas for found in delta.get("detections") or []]}
    document = json.loads(answer)
    return document["choices"][0] if "choices" in document else document


def is_same(one, other):
    """Whether two answers are the same but for the rounding of numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return abs(one - other) <= 0.011
    return one == other


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")
