"""Drives a running `chatrex serve` with the official openai package and with curl.

    python3 -m venv .deps/clients && .deps/clients/bin/pip install openai
    chatrex serve --port 8080 &
    .deps/clients/bin/python Scripts/server/check_api.py http://127.0.0.1:8080 Examples/images/pets.jpg
"""

import base64
import json
import subprocess
import sys

import openai

address, picture = sys.argv[1], sys.argv[2]
key = sys.argv[3] if len(sys.argv) > 3 else "none"
data_url = "data:image/jpeg;base64," + base64.b64encode(open(picture, "rb").read()).decode()
client = openai.OpenAI(base_url=address + "/v1", api_key=key, max_retries=0)


def messages(text):
    image = {"type": "image_url", "image_url": {"url": data_url}}
    return [{"role": "user", "content": [{"type": "text", "text": text}, image]}]


def check(name, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + name, "" if holds else detail)
    if not holds:
        check.failures += 1


check.failures = 0


def curl(*arguments):
    done = subprocess.run(
        ["curl", "-s", "-w", "\n%{http_code} %{content_type}", "-H", f"Authorization: Bearer {key}", *arguments],
        capture_output=True, check=True)
    body, _, last = done.stdout.rpartition(b"\n")
    status, _, kind = last.decode().partition(" ")
    return int(status), kind, body


def with_openai():
    check("openai lists the model", [m.id for m in client.models.list()] != [])
    answer = client.chat.completions.create(
        model=client.models.list().data[0].id, messages=messages("dog; cat; zebra"), temperature=0, seed=1,
        extra_body={"task": "detect"})
    message = answer.choices[0].message
    check("openai gets tags", message.content.count("<ground>") == 3, message.content)
    check("openai sees the detections", isinstance(message.model_extra["detections"], list))
    check("openai sees usage", answer.usage.total_tokens > 0)

    text, detections, reasons = "", [], []
    for chunk in client.chat.completions.create(
            model=answer.model, messages=messages("dog; cat; zebra"), stream=True, extra_body={"task": "detect"}):
        choice = chunk.choices[0]
        text += choice.delta.content or ""
        detections += (choice.delta.model_extra or {}).get("detections", [])
        reasons += [choice.finish_reason] if choice.finish_reason else []
    check("openai streams the same text", text == message.content, text)
    check("openai streams the same detections", detections == message.model_extra["detections"])
    check("openai sees the end", reasons == ["stop"], str(reasons))

    question = client.chat.completions.create(
        model=answer.model, messages=messages("What is in <obj0>?"), max_tokens=30,
        extra_body={"task": "chat", "boxes": [[10, 10, 120, 120]], "plain_text": True})
    check("openai asks about a box", "<obj" not in (question.choices[0].message.content or ""))

    for name, arguments, kind in [
            ("an unknown model", {"model": "gpt-9"}, openai.NotFoundError),
            ("logprobs", {"logprobs": True}, openai.BadRequestError),
            ("a picture behind an address", {"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "https://example.org/a.jpg"}}]}]}, openai.BadRequestError)]:
        try:
            client.chat.completions.create(**{"model": answer.model, "messages": messages("dog"), **arguments})
            check(f"openai is refused {name}", False, "it was answered")
        except kind as error:
            check(f"openai is refused {name}", bool(error.code), str(error))


def with_curl():
    forms = {
        "detect": ["phrases=dog; cat"], "count": ["phrases=dog"], "caption": ["style=detailed"],
        "regions": ["boxes=[[10,10,120,120]]"], "propose": ["granularity=both"],
    }
    for name, fields in forms.items():
        arguments = [part for field in fields for part in ("--form-string", field)]
        status, kind, body = curl(f"{address}/v1/{name}", "-F", f"image=@{picture}", *arguments)
        check(f"curl gets {name}", status == 200 and kind == "application/json" and "image" in json.loads(body), body[:200])
    for kind, beginning in [("image/png", b"\x89PNG"), ("image/jpeg", b"\xff\xd8")]:
        status, got, body = curl(f"{address}/v1/propose", "-F", f"image=@{picture}", "-H", f"Accept: {kind}")
        check(f"curl gets {kind}", status == 200 and got == kind and body.startswith(beginning))
    body = json.dumps({"messages": messages("dog"), "task": "detect", "stream": True})
    done = subprocess.run(
        ["curl", "-sN", f"{address}/v1/chat/completions", "-H", "Content-Type: application/json",
         "-H", f"Authorization: Bearer {key}", "--data-binary", "@-"], input=body.encode(), capture_output=True, check=True)
    check("curl gets a stream", done.stdout.endswith(b"data: [DONE]\n\n"), done.stdout[-200:])
    status, kind, _ = curl(f"{address}/metrics")
    check("curl gets the figures", status == 200 and kind.startswith("text/plain"))


with_openai()
with_curl()
sys.exit(1 if check.failures else 0)
