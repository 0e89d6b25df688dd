"""Malformed and odd requests for fuzz.py: forms, JSON, pictures and HTTP itself. Each comes from a seeded random generator,
so that it can be made again. Pillow makes the pictures.

A picture that no decoder takes goes with most forms and JSON: such a request must be refused, and costs the server little.
"""

import base64
import dataclasses
import io
import json
import struct
import zlib

import PIL.Image

REFUSED = range(400, 500)
ANY = range(100, 500)
ROUTES = ["detect", "count", "caption", "regions", "propose"]


@dataclasses.dataclass
class Request:
    """What goes over one connection: bytes, numbers for seconds of waiting between them, `None` for the end of sending."""

    name: str
    steps: list
    statuses: object = dataclasses.field(default_factory=lambda: ANY)
    # "due": an answer must come; "optional": closing without one is right too; "none": the client is gone before.
    answer: str = "due"
    method: str = "GET"
    # How many answers must come over the connection.
    count: int = 1
    # What the answer must begin with.
    holds: bytes = b""


def http(method, path, body=b"", headers=(), close=True):
    """Bytes of a well formed request; headers given here go before those made here."""
    given = {name.lower() for name, _ in headers}
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    lines += ["Host: localhost"] if "host" not in given else []
    lines += ["Connection: close"] if close else []
    lines += [f"Content-Length: {len(body)}"] if (body or method == "POST") and "content-length" not in given else []
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def post(path, body, kind="application/json", headers=()):
    return http("POST", path, body, [("Content-Type", kind), *headers])


def flipped(choice, data, most):
    """The data with some bits turned over."""
    data = bytearray(data)
    for _ in range(choice.randint(1, most)):
        data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
    return bytes(data)


def png(width, height, rows=b"", chunks=b""):
    """A PNG of any claimed size, whatever its rows."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunks + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SMALL = png(48, 32, b"".join(b"\0" + bytes([40, 90, row * 7 % 256] * 48) for row in range(32)))
NO_PICTURE = b"this is no picture at all"


# Forms


def form(parts, boundary=b"XyZ", end=b"--\r\n", line=b"\r\n"):
    return b"".join(b"--" + boundary + line + head + line * 2 + body + line for head, body in parts) + b"--" + boundary + end


def field(name, value, more=b""):
    return b'Content-Disposition: form-data; name="' + name + b'"' + more, value


def form_request(choice):
    route = choice.choice(ROUTES)
    is_whole = choice.random() < 0.04
    image = field(b"image", SMALL if is_whole else NO_PICTURE, b'; filename="a.png"')
    parts = [image, field(b"phrases", b"dog; cat"), field(b"max_tokens", b"4"), field(b"granularity", b"fine"),
             field(b"boxes", b"[[1,1,20,20]]")]
    kind, length = "multipart/form-data; boundary=XyZ", None
    junk = choice.randbytes(choice.choice([1, 30, 3000]))
    name = choice.choice([
        "whole", "cut", "flipped", "no end", "wrong boundary", "no boundary", "odd boundary", "quoted boundary",
        "charset before boundary", "charset", "preamble and epilogue", "nested", "line feeds", "no header", "no name",
        "empty name", "unquoted name", "twice", "many parts", "long header", "huge header", "NUL", "not UTF-8",
        "path as file name",
        "odd file name", "transfer encoding", "no number", "odd number", "deep boxes", "unknown field", "JSON as a form",
        "junk",
        "short length", "boundary in the picture", "empty"])
    body = None
    if name == "cut":
        body = form(parts)
        body = body[: choice.randrange(len(body) - 4)]
    elif name == "flipped":
        body = flipped(choice, form(parts), 20)
    elif name == "no end":
        body = form(parts, end=choice.choice([b"", b"-", b"\r", b"\r\n", b"\n--", b"---"]))
    elif name == "wrong boundary":
        body = form(parts, boundary=b"Other")
    elif name == "no boundary":
        kind = choice.choice(["multipart/form-data", "multipart/form-data;", "multipart/form-data; boundary",
                              "multipart/form-data; boundary="])
    elif name == "odd boundary":
        text = choice.choice(["-" * 60, "'()+_,-./:=?", "B" * 71, "B" * 5000, "a b", "\u00e4", "--XyZ",
                              "XyZ; boundary=Other"])
        kind = f"multipart/form-data; boundary={text}"
        body = form(parts, boundary=text.encode())
    elif name == "quoted boundary":
        kind = 'multipart/form-data; boundary="XyZ"'
    elif name == "charset before boundary":
        kind = "multipart/form-data; charset=utf-8; boundary=XyZ"
    elif name == "charset":
        kind = f"multipart/form-data; boundary=XyZ; charset={choice.choice(['utf-16', 'klingon', '', 'iso-8859-1'])}"
    elif name == "preamble and epilogue":
        body = junk + b"\r\n" + form(parts) + junk
    elif name == "nested":
        inner = form(parts, boundary=choice.choice([b"XyZ", b"Inner"]))
        parts = [(b'Content-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=Inner', inner)]
    elif name == "line feeds":
        body = form(parts, line=choice.choice([b"\n", b"\r"]))
    elif name == "no header":
        parts.insert(choice.randrange(3), (choice.choice([b"", b"X", b"Content-Type: text/plain", b":", b"\0"]), junk))
    elif name == "no name":
        parts[1] = (b"Content-Disposition: form-data; filename=a", junk)
    elif name == "empty name":
        parts.append(field(b"", junk))
    elif name == "unquoted name":
        parts[1] = (b"Content-Disposition: form-data; name=" + choice.choice([b"phrases", b'"phrases', b'phrases"', b"",
            b"=", b";"]), b"dog")
    elif name == "twice":
        parts = parts * choice.randint(2, 8)
    elif name == "many parts":
        parts += [field(b"x%d" % number, b"") for number in range(choice.choice([250, 260, 5000]))]
    elif name == "long header":
        parts[0] = (parts[0][0] + b"\r\nX: " + b"y" * choice.choice([8000, 8100, 8192, 9000]), NO_PICTURE)
    elif name == "huge header":
        parts[0] = (parts[0][0] + b"\r\nX: " + b"y" * 1_000_000, NO_PICTURE)
    elif name == "NUL":
        parts[choice.randrange(len(parts))] = field(choice.choice([b"phra\0ses", b"image\0", b"phrases"]), b"do\0g")
    elif name == "not UTF-8":
        parts[1] = field(choice.choice([b"phrases", b"\xff\xfe", b"style"]), junk)
    elif name == "path as file name":
        parts[0] = field(b"image", NO_PICTURE, b'; filename="../../../../etc/passwd"')
    elif name == "odd file name":
        parts[0] = field(b"image", NO_PICTURE, choice.choice([
            b'; filename="a\\"b;c.png"', b"; filename*=utf-8''%e2%82%ac.png", b'; filename="' + b"n" * 7000 + b'"',
            b'; filename="\xff"']))
    elif name == "transfer encoding":
        head = parts[0][0] + b"\r\nContent-Transfer-Encoding: base64"
        parts[0] = (head, base64.b64encode(NO_PICTURE))
    elif name in ("no number", "odd number"):
        value = choice.choice(["", "x", "NaN", "-Infinity", "1e999", "0x10", "1,5", "null", "true", "[1]", "{}", '"1"',
                               "-1", "0",
                               "1e308", "99999999999999999999", "9223372036854775807", "-9223372036854775808", "1.5",
                               "\u0661"])
        parts.append(field(choice.choice(["iou", "temperature", "seed", "min_score", "max_detections", "proposal_min_score",
                                          "max_tokens",
                                          "top_p", "boxes"]).encode(), value.encode()))
    elif name == "deep boxes":
        depth = choice.choice([5, 500, 100_000])
        parts[4] = field(b"boxes", b"[" * depth + b"]" * choice.choice([0, depth]))
    elif name == "unknown field":
        parts.append(field(b"__proto__", junk))
    elif name == "JSON as a form":
        body = b'{"image": "", "phrases": "dog"}'
    elif name == "junk":
        body = junk
    elif name == "short length":
        length = choice.randrange(len(form(parts)) - 8)
    elif name == "boundary in the picture":
        parts[0] = field(b"image", b"\r\n--XyZ" + choice.choice([b"", b"--", b"\r\n", b"\r\n\r\n", b"junk"]) + NO_PICTURE)
    elif name == "empty":
        body = b""
    body = form(parts) if body is None else body
    headers = [("Content-Type", kind)] + ([] if length is None else [("Content-Length", str(length))])
    statuses = ANY if is_whole else REFUSED
    return Request(f"{name}, {route}", [http("POST", f"/v1/{route}", body, headers)], statuses, method="POST")


# JSON


def documents(choice, picture):
    """A path and a good document for it."""
    image = base64.b64encode(picture).decode()
    url = {"url": "data:image/png;base64," + image}
    kind = choice.choice(ROUTES + ["chat"] * 4 + ["predict"])
    if kind == "chat":
        return "/v1/chat/completions", {
            "model": "nano", "task": choice.choice(["ask", "chat", "detect", "count", "caption", "describe"]),
            "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": [
                {"type": "text", "text": "dog"}, {"type": "image_url", "image_url": url}]}],
            "max_tokens": 8, "temperature": 0.5, "top_p": 0.9, "seed": 1, "stop": [".", "!"],
            "stream": choice.random() < 0.5,
            "stream_options": {"include_usage": True}, "boxes": [[1, 1, 20, 20]], "plain_text": False}
    if kind == "predict":
        labels = ('<View><Image name="i" value="$image"/><RectangleLabels name="l" toName="i"><Label value="cat"/>'
                  "</RectangleLabels></View>")
        return "/predict", {"tasks": [{"id": 1, "data": {"image": url["url"]}}], "label_config": labels}
    document = {"image": image, "boxes": [[1, 1, 20, 20]], "granularity": "fine", "min_score": 0.1, "max_detections": 9,
                "proposal_min_score": 0.2, "iou": 0.7, "max_tokens": 8, "temperature": 0, "top_p": 1, "seed": 3,
                "format": "json"}
    more = {"detect": {"phrases": ["dog", "cat"]}, "count": {"phrases": "dog; cat"}, "caption": {"style": "brief"},
            "regions": {"level": "phrase"}, "propose": {}}[kind]
    return f"/v1/{kind}", document | more


class Raw(str):
    """Stands in a document for text that is no JSON string."""


def dumped(document):
    """JSON with `Raw` texts as they are."""
    raws = []

    def marked(value):
        if isinstance(value, Raw):
            raws.append(value)
            return f"@RAW{len(raws) - 1}@"
        if isinstance(value, dict):
            return {key: marked(item) for key, item in value.items()}
        return [marked(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(marked(document))
    for number, raw in enumerate(raws):
        text = text.replace(f'"@RAW{number}@"', raw)
    return text


def places(value):
    """Every container and key in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for key, item in items:
        yield value, key
        yield from places(item)


NUMBERS = [Raw(text) for text in [
    "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "1e308", "1" + "0" * 400, "-0", "0.1e", "01", "+1", ".5",
    "0x1F",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615", "4294967296",
    "2147483648", "1.0", "1e2"]]
TEXTS = ["", " ", ";", ";" * 5000, "\0", "a\0b", "\ufeffdog", "\u202edog", "e\u0301" * 400, "\U0001f9ff" * 300, "\ufffe",
         "x" * 100_000,
         "<obj0>", "<obj01>", "<obj99999999999999999999>", "<obj-1>", "<|im_end|>", "<|endoftext|>", "<image>",
         "<ground>dog</ground>",
         "<objects>", "</objects><objects>", "[OBJ]", "%s%n", "'; DROP TABLE dogs", "../../etc/passwd", "file:///etc/passwd",
         "http://127.0.0.1/", "data:;base64,", "data:image/png,abc", "data:text/html;base64,PGI+", "=" * 40, "auto",
         "\n\n\n", "dog\n" * 300]
BOXES = [[[0, 0, 0, 0]], [[5, 5, 1, 1]], [[-1e300, -1e300, 1e300, 1e300]], [[1e300, 0, 1e308, 5]], [[0.1, 0.1, 0.2, 0.2]],
         [[1, 2, 3]],
         [[1, 2, 3, 4, 5]], [[]], [[47, 31, 48, 32]], [[0, 0, 48, 32]] * 100, [[0, 0, 48, 32]] * 101, [[-5, -5, 500, 500]],
         [[Raw("1e-400"), 0, 9, 9]], [[0, 0, Raw("1e400"), 9]], [[0, 0, 1e-9, 1e-9]]]


def other_value(choice):
    deep = choice.choice([2, 100, 511, 600, 5000, 100_000])
    return choice.choice([
        None, True, [], {}, [[]], [None], {"a": 1}, -1, 0, 1.5, choice.choice(NUMBERS), choice.choice(TEXTS),
        choice.choice(BOXES),
        Raw("[" * deep + "]" * deep), Raw('{"a":' * deep + "1" + "}" * deep), Raw('"\\ud800"'), Raw('"\\udc00\\ud800"'),
        Raw('"\\u0000"'),
        Raw('"\\x"'), Raw("'dog'"), Raw("undefined"), [choice.choice(TEXTS)] * choice.choice([3, 201])])


def json_request(choice):
    is_whole = choice.random() < 0.08
    path, document = documents(choice, SMALL if is_whole else NO_PICTURE)
    # Of no tasks there is nothing to refuse.
    statuses, kind = ANY if is_whole or path == "/predict" else REFUSED, "application/json"
    name = choice.choice(["another value"] * 8 + [
        "several other values", "missing", "more", "twice", "cut", "flipped", "trailing", "mark", "UTF-16", "not UTF-8",
        "lone surrogate",
        "empty", "no object", "comments", "deep", "long key", "many keys", "kind", "content encoding", "spaces",
        "many messages", "many tasks",
        "label config"])
    body, headers = None, []
    # Where there is a picture, it stays, so that the server comes to the rest.
    kept = ["image", "url", "image_url", "content", "messages", "tasks", "data"] if is_whole else []
    if name in ("another value", "several other values", "missing"):
        for _ in range(1 if name != "several other values" else choice.randint(2, 6)):
            container, key = choice.choice([place for place in places(document) if place[1] not in kept])
            if name == "missing":
                container.pop(key)
            else:
                container[key] = other_value(choice)
    elif name == "more":
        document[choice.choice(["n", "logprobs", "tools", "functions", "response_format", "top_logprobs", "user",
                                "__proto__", "", "\0",
                                "max_completion_tokens", "file", "phrases", "stop"])] = other_value(choice)
    elif name == "twice":
        text = dumped(document)
        key = choice.choice(list(document))
        body = text[:-1] + "," + json.dumps(key) + ":" + dumped(other_value(choice)) + "}"
    elif name == "cut":
        text = dumped(document)
        body = text[: choice.randrange(len(text))]
    elif name == "flipped":
        body = flipped(choice, dumped(document).encode(), 12)
    elif name == "trailing":
        body = dumped(document) + choice.choice(["}", "]", ",", "{}", "\0", "x" * 1000, "\n" * 100_000])
    elif name == "mark":
        body = b"\xef\xbb\xbf" + dumped(document).encode()
    elif name == "UTF-16":
        body = dumped(document).encode(choice.choice(["utf-16", "utf-16-le", "utf-32", "utf-16-be"]))
    elif name == "not UTF-8":
        document["granularity"] = Raw('"@"')
        body = dumped(document).encode().replace(b"@", choice.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80",
            b"\xf5\x80\x80\x80", b"\xe2\x82"]))
    elif name == "lone surrogate":
        document[choice.choice(["phrases", "style", "label_config", "task", "model"])] = Raw(choice.choice(['"\\ud83d"',
            '"dog\\udfff"', '"\\ud800\\ud800"']))
    elif name == "empty":
        body = choice.choice(["", " ", "\0", "\n"])
    elif name == "no object":
        body = dumped(choice.choice([[], [document], 1, "dog", None, True, Raw("nan")]))
    elif name == "comments":
        body = choice.choice(["/* a */", "// a\n", "# a\n"]) + dumped(document)
    elif name == "deep":
        opening, closing = choice.choice([("[", "]"), ('{"a":', "}"), ('[{"messages":', "}]")])
        depth = choice.choice([100, 513, 10_000, 200_000])
        body = opening * depth + closing * choice.choice([0, depth])
    elif name == "long key":
        document["k" * 1_000_000] = 1
    elif name == "many keys":
        document |= {f"key {number}": number for number in range(20_000)}
    elif name == "kind":
        kind = choice.choice(["text/plain", "application/xml", "", "application/json; charset=utf-16", "application/JSON",
                              "json", "/", ";",
                              "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json;;;",
                              "\u00e4/\u00f6"])
    elif name == "content encoding":
        body = zlib.compress(dumped(document).encode())
        headers = [("Content-Encoding", choice.choice(["gzip", "deflate", "br", "zstd", "identity, gzip"]))]
    elif name == "spaces":
        body = " " * 1_000_000 + dumped(document) + "\t" * 1000
    elif name == "many messages" and "messages" in document:
        document["messages"] = [{"role": choice.choice(["user", "assistant", "wizard"]),
                                 "content": "a"}] * 20_000 + document["messages"]
    elif name == "many tasks" and "tasks" in document:
        document["tasks"] = document["tasks"] * choice.choice([0, 17, 3000])
    elif name == "label config" and "tasks" in document:
        document["label_config"] = choice.choice([
            "<" * 100_000, "<a " + " " * 199_000, "<a b='" * 30_000, "<Label value=\"x\"/>" * 10_000,
            "<RectangleLabels>" + "<Label value='x'/>" * 300,
            "<a" + " b=\"c\"" * 30_000, "<RectangleLabels><Label value='&amp;" + "lt;" * 1000 + "'/>",
            "<Image value='$'/><RectangleLabels><Label value='c'/>"])
    body = dumped(document) if body is None else body
    body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return Request(f"{name}, {path}", [post(path, body, kind, headers)], statuses, method="POST")


# Pictures


class Pictures:
    """Files of all formats, made once, and requests with damaged ones."""

    def __init__(self, files):
        self.files = {"JPEG " + str(number): data for number, data in enumerate(files)}
        picture = PIL.Image.open(io.BytesIO(files[0])).convert("RGB").resize((160, 120))

        def saved(picture, format, **options):
            file = io.BytesIO()
            picture.save(file, format, **options)
            return file.getvalue()

        frames = [picture.rotate(angle) for angle in (90, 180, 270)]
        turned = PIL.Image.Exif()
        turned[0x0112] = 6
        nonsense = PIL.Image.Exif()
        nonsense[0x0112] = 77
        self.files |= {
            "PNG": saved(picture, "PNG"), "PNG palette": saved(picture.convert("P"), "PNG", transparency=3),
            "PNG grey alpha": saved(picture.convert("LA"), "PNG"), "PNG 16": saved(picture.convert("I;16"), "PNG"),
            "PNG 1": saved(picture.convert("1"), "PNG"), "PNG profile": saved(picture, "PNG",
                icc_profile=b"no profile" * 40),
            "WebP": saved(picture, "WEBP"), "WebP exact": saved(picture.convert("RGBA"), "WEBP", lossless=True),
            "WebP animated": saved(picture, "WEBP", save_all=True, append_images=frames),
            "GIF": saved(picture, "GIF"), "GIF animated": saved(picture, "GIF", save_all=True, append_images=frames),
            "TIFF": saved(picture, "TIFF"), "TIFF deflate": saved(picture, "TIFF", compression="tiff_adobe_deflate"),
            "TIFF LZW": saved(picture, "TIFF", compression="tiff_lzw"), "TIFF JPEG": saved(picture, "TIFF",
                compression="jpeg"),
            "TIFF pages": saved(picture, "TIFF", save_all=True, append_images=frames),
            "TIFF float": saved(picture.convert("F"), "TIFF"), "TIFF CMYK": saved(picture.convert("CMYK"), "TIFF"),
            "JPEG CMYK": saved(picture.convert("CMYK"), "JPEG"), "JPEG grey": saved(picture.convert("L"), "JPEG"),
            "JPEG progressive": saved(picture, "JPEG", progressive=True), "JPEG turned": saved(picture, "JPEG",
                exif=turned.tobytes()),
            "JPEG odd turn": saved(picture, "JPEG", exif=nonsense.tobytes())}
        self.oddities = {
            "text": (NO_PICTURE, REFUSED),
            "one byte": (b"\xff", REFUSED),
            "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', REFUSED),
            "SVG entity": (b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>', REFUSED),
            "BMP": (saved(picture, "BMP"), REFUSED),
            "PPM": (saved(picture, "PPM"), REFUSED),
            "PDF": (b"%PDF-1.4\n1 0 obj", REFUSED),
            "vips": (b"\xb6\xa6\xf2\x08" + bytes(200), REFUSED),
            "HEIC": (b"\0\0\0\x18ftypheic" + bytes(99), REFUSED),
            "JPEG without body": (b"\xff\xd8\xff\xd9", REFUSED),
            "PNG claims 20000x20000": (png(20000, 20000), range(413, 414)),
            "PNG claims 0x0": (png(0, 0), REFUSED),
            "PNG claims 2147483647x1": (png(2**31 - 1, 1), REFUSED),
            "PNG claims 4294967295x4294967295": (png(2**32 - 1, 2**32 - 1), REFUSED),
            "PNG claims 5000x5000, no rows": (png(5000, 5000), REFUSED),
            "PNG 5000x5000": (png(5000, 5000, bytes(15001 * 5000)), ANY),
            "PNG text bomb": (png(9, 9, bytes(28 * 9), self.text_bomb()), ANY),
            "PNG without end": (SMALL[:-12], ANY),
            "GIF claims 65535x65535": (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\0;", REFUSED),
            "WebP claims 16384x16384": (
                b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x3f\0\xff\x3f\0VP8 \0\0\0\0", REFUSED),
            "TIFF to itself": (b"II*\0\x08\0\0\0\0\0\x08\0\0\0", REFUSED)}
        for width, height in [(1, 1), (1, 3000), (3000, 1), (2, 2), (1, 20000), (1, 60000), (13, 4096)]:
            self.oddities[f"PNG {width}x{height}"] = (saved(PIL.Image.new("RGB", (width, height), "red"), "PNG"), ANY)

    @staticmethod
    def text_bomb():
        data = b"a\0\0" + zlib.compress(bytes(50 << 20))
        return struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))

    def request(self, choice):
        name, file = choice.choice(list(self.files.items()))
        kind = choice.choice(["flipped"] * 5 + ["cut"] * 6 + ["odd"] * 5 + ["head alone"] * 2 + ["mixed", "whole"])
        statuses = ANY
        if kind == "flipped":
            file = flipped(choice, file, choice.choice([1, 10, 50, 1000]))
        elif kind == "cut":
            # Only the first of several pictures is read, and that may be whole.
            statuses = ANY if "animated" in name or "pages" in name else REFUSED
            file = file[: choice.randrange(len(file) * 9 // 10)]
        elif kind == "head alone":
            file = file[: choice.choice([3, 4, 12, 30])] + choice.randbytes(choice.choice([0, 100, 10_000]))
            statuses = REFUSED
        elif kind == "mixed":
            other = choice.choice(list(self.files.values()))
            file = file[: len(file) // 2] + other[len(other) // 2:]
        elif kind == "odd":
            name, (file, statuses) = choice.choice(list(self.oddities.items()))
        way = choice.choice(["form"] * 2 + ["JSON"] * 2 + ["chat"] * 6)
        if way == "form":
            request = post("/v1/propose", form([field(b"image", file, b'; filename="a.jpg"')]),
                           "multipart/form-data; boundary=XyZ")
        elif way == "JSON":
            format = choice.choice(["png", "jpeg", "yolo", "coco", "label-studio", "json"])
            document = {"image": base64.b64encode(file).decode(), "format": format}
            request = post("/v1/propose", json.dumps(document).encode())
        else:
            # Without boxes and with one token: what a picture that can be read costs least.
            url = f"data:image/{choice.choice(['jpeg', 'png', 'x-icon', ''])};base64," + base64.b64encode(file).decode()
            parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
            document = {"task": "chat", "max_tokens": 1, "messages": [{"role": "user", "content": parts}]}
            request = post("/v1/chat/completions", json.dumps(document).encode())
        return Request(f"{kind}, {name}, {way}", [request], statuses, method="POST")


# HTTP


WORK = ["/v1/" + route for route in ROUTES] + ["/v1/chat/completions", "/predict"]
PAGES = ["/", "/healthz", "/readyz", "/health", "/openapi.json", "/v1/models", "/examples", "/app.js"]
TRAVERSALS = ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/examples/../../../etc/passwd",
              "/examples/..%2f..%2fREADME.md",
              "/examples/%2e%2e%2fREADME.md", "/examples/....//....//etc/passwd", "/examples/%00",
              "/examples/pets.jpg%00.png", "/%c0%ae%c0%ae/etc/passwd",
              "/examples/" + "../" * 40 + "etc/passwd", "/..\\..\\etc\\passwd", "/./../etc/passwd", "//etc/passwd",
              "/examples//etc/passwd", "/%252e%252e/etc/passwd",
              "/v1/models/..%2f..%2f..%2fetc%2fpasswd", "/v1/models/../../etc/passwd", "/examples/%2fetc%2fpasswd"]
METHODS = ["FOO", "get", "Get", "G@T", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "OPTIONS", "HEAD", "PROPFIND",
           "M" * 200, "M" * 90_000, "\u00c4", "G\0T", "GET\t", "*"]
CHUNKS = ["zz\r\nhello\r\n0\r\n\r\n", "-1\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nab\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nab\r\n",
          "5\r\nhelloXX0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
          "5;a=b\r\nhello\r\n0\r\n\r\n", "5;" + "x" * 100_000 + "\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
          "\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n",
          "0\r\nTrailer: " + "t" * 100_000 + "\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n",
          "0\r\n" + "A: b\r\n" * 2000 + "\r\n", "00000000000000000000\r\n\r\n"]
HEADERS = ["NoColon", "Name : value", " folded: yes", "X: a\r\n b", "X: a\0b", "\0: a", ": empty", "X: " + "y" * 200_000,
           "X" * 100_000 + ": y", "X: \x7f\x01", "X: \u00e4\u00f6",
           "Content-Length: -1", "Content-Length: +5", "Content-Length: 0x10", "Content-Length: 5, 6",
           "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 99999999999999999999",
           "Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip",
           "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
           "Host: evil.example", "Host: localhost\r\nHost: evil.example", "Host: ", "Host: [::1", "Host: a b",
           "Origin: https://evil.example", "Origin: null", "Origin: \0",
           "Authorization: Bearer \u00e4", "Authorization: Basic !!!", "Authorization: Basic " + "A" * 50_000,
           "Authorization: Digest x", "Expect: 200-maybe", "Range: bytes=0-99999999999999999999",
           "Range: bytes=-1,5-2", "If-None-Match: *", "If-Modified-Since: yesterday", "Accept: */*;q=nan",
           "Accept: " + "a/b," * 10_000, "Accept-Encoding: gzip;q=-1", "Upgrade: websocket\r\nConnection: Upgrade",
           "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__", "Connection: close, keep-alive, te",
           "Cookie: " + "a=b; " * 5000, "X-Forwarded-For: 10.0.0.1", "X-HTTP-Method-Override: DELETE",
           "Content-Type: " + "a" * 60_000, "Content-Type: multipart/form-data; boundary=\0", "X-A: b\r\n" * 1500]
STARTS = ["GET /healthz HTTP/9.9", "GET /healthz HTTP/0.9", "GET /healthz", "GET  /healthz  HTTP/1.1",
          "GET /healthz HTTP/1.1 ", "GET\t/healthz\tHTTP/1.1", "GET /healthz HTTP/1.x", "GET /healthz http/1.1",
          " GET /healthz HTTP/1.1", "\r\n\r\nGET /healthz HTTP/1.1", "GET healthz HTTP/1.1", "GET * HTTP/1.1",
          "GET ? HTTP/1.1", "GET # HTTP/1.1", "GET /\0 HTTP/1.1", "GET /a b HTTP/1.1", "GET /\u00e4 HTTP/1.1",
          "GET /%zz HTTP/1.1", "GET /healthz?%zz=&&& HTTP/1.1", "GET /healthz#a HTTP/1.1", "GET //healthz HTTP/1.1",
          "GET /healthz/ HTTP/1.1", "GET http://localhost/healthz HTTP/1.1",
          "GET http://evil.example/healthz HTTP/1.1", "GET ftp://x HTTP/1.1", "CONNECT localhost:22 HTTP/1.1",
          "OPTIONS * HTTP/1.1", "GET /" + "a" * 70_000 + " HTTP/1.1", "GET /" + "a" * 200_000 + " HTTP/1.1",
          "GET /" + "a/" * 5000 + " HTTP/1.1", "GET /?" + "a=b&" * 5000 + " HTTP/1.1", "PRI * HTTP/2.0\r\n\r\nSM",
          "HTTP/1.1 200 OK", "", "GET", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"]


def http_request(choice):
    name = choice.choice(["method", "start", "start", "traversal", "header", "header", "header", "header on work", "chunks",
                          "whole chunks", "expect",
                          "gone", "gone", "gone in the body", "half closed", "pipelined", "pages", "head", "junk",
                          "body to a page", "too large", "end"])
    page, work = choice.choice(PAGES), choice.choice(WORK)
    if name == "method":
        method = choice.choice(METHODS)
        return Request(f"method {method[:20]!r}", [http(method, choice.choice([page, work]))], answer="optional",
                       method=method)
    if name == "start":
        start = choice.choice(STARTS)
        request = f"{start}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        return Request(f"start {start[:30]!r}", [request, None], answer="optional")
    if name == "traversal":
        return Request(name, [http("GET", choice.choice(TRAVERSALS))], REFUSED)
    if name in ("header", "header on work"):
        header = choice.choice(HEADERS)
        start = f"GET {page} HTTP/1.1" if name == "header" else f"POST {work} HTTP/1.1"
        request = f"{start}\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\nhello".encode()
        statuses = ANY if name == "header" else REFUSED
        return Request(f"{name} {header[:30]!r}", [request, None], statuses, answer="optional", method=start.split()[0])
    if name in ("chunks", "whole chunks"):
        body = choice.choice(CHUNKS) if name == "chunks" else "2\r\n{}\r\n0\r\n\r\n"
        head = f"POST {work} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
        request = f"{head}Transfer-Encoding: chunked\r\n\r\n{body}".encode()
        return Request(f"{name} {body[:20]!r}", [request, None], REFUSED, answer="optional" if name == "chunks" else "due",
                       method="POST")
    if name == "expect":
        head = http("POST", work, b"", [("Content-Type", "application/json"), ("Content-Length", "2"), ("Expect",
            "100-continue")])
        return Request(name, [head, 1.0, b"{}"], REFUSED, method="POST", holds=b"HTTP/1.1 100 Continue\r\n")
    if name == "gone":
        request = post(work, b'{"image": "aaaa", "phrases": "dog", "messages": []}')
        return Request(name, [request[: choice.randrange(len(request))]] + choice.choice([[], [0.02]]), answer="none",
                       method="POST")
    if name == "gone in the body":
        path, document = documents(choice, SMALL)
        request = post(path, json.dumps(document).encode() + b" " * 200_000)
        return Request(name, [request[: choice.randrange(500, len(request))]] + choice.choice([[], [0.02]]), answer="none",
                       method="POST")
    if name == "half closed":
        return Request(name, [http("GET", page), None], range(200, 201))
    if name == "pipelined":
        count = choice.randint(2, 20)
        requests = b"".join(http("GET", choice.choice(PAGES), close=number == count - 1) for number in range(count))
        return Request(name, [requests], range(200, 201), count=count)
    if name == "pages":
        return Request(name, [http("GET", page)], range(200, 201))
    if name == "head":
        return Request(name, [http("HEAD", page)], range(200, 201), method="HEAD")
    if name == "junk":
        return Request(name, [choice.randbytes(choice.choice([1, 50, 5000])) + b"\r\n\r\n", None], answer="optional")
    if name == "body to a page":
        return Request(name, [http("GET", page, choice.randbytes(1000))])
    if name == "too large":
        if choice.random() < 0.9:
            return Request(name + ", announced", [post(work, b"", headers=[("Content-Length", str(choice.choice([21 << 20,
                2**62])))])],
                           range(413, 414), method="POST")
        return Request(name, [post(work, b"A" * ((20 << 20) + 1))], range(413, 414), answer="optional", method="POST")
    # Each of these asks for the end of the connection, in words of its own.
    end = choice.choice(["HTTP/1.0", "HTTP/1.1\r\nHost: localhost\r\nConnection: Close",
                         "HTTP/1.1\r\nHost: localhost\r\nConnection: close, TE"])
    return Request(f"{name} {end!r}", [f"GET {page} {end}\r\n\r\n".encode()], range(200, 201))


# Clients that take their time. The server's limits: 30 s for a body, 60 s for a connection on which nothing is asked.

SLOW_LIMIT = 80


def slow_requests():
    trickle = [b"a", 2.0] * (SLOW_LIMIT // 2 + 15)
    for number in range(3):
        yield Request("a head that does not end", [b"GET / HTTP/1.1\r\nHost: local", SLOW_LIMIT], answer="optional")
        yield Request("a head letter by letter", [b"GET / HTTP/1.1\r\nX: "] + trickle, answer="optional")
        yield Request("silence", [SLOW_LIMIT], answer="optional")
        head = http("POST", WORK[number * 2], b"", [("Content-Type", "application/json"), ("Content-Length", "1000")],
                    close=False)
        yield Request("a body that does not end", [head + b"{", SLOW_LIMIT], range(408, 409), method="POST")
        yield Request("a body letter by letter", [head] + trickle, range(408, 409), method="POST")
    head = http("POST", "/nothing", b"", [("Content-Length", "1000")], close=False)
    yield Request("a body letter by letter to no route", [head] + trickle, range(404, 405), method="POST")
    head = http("POST", "/v1/detect", b"", [("Content-Length", str(1 << 40))], close=False)
    yield Request("a body that was refused, letter by letter", [head] + trickle, range(413, 414), method="POST")
