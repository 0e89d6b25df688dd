"""Small pictures without meaning, for tests of the engine itself. Standard library only."""

import io
import json
import random
import struct
import tarfile
import zlib


def png(width, height, rng):
    """A PNG file of a few random rectangles; no two look alike."""
    rows = [bytearray(rng.randbytes(3) * width) for _ in range(1)] * height
    rows = [bytearray(row) for row in rows]
    for _ in range(12):
        x, y = rng.randrange(width), rng.randrange(height)
        w, h = rng.randrange(1, width - x + 1), rng.randrange(1, height - y + 1)
        color = rng.randbytes(3)
        for row in rows[y : y + h]:
            row[3 * x : 3 * (x + w)] = color * w

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def write_shard(path, first, count, side=64, seed=0):
    """A WebDataset shard of pictures with captions; every tenth is too small, every fiftieth no picture."""
    with tarfile.open(path, "w") as archive:
        def add(name, data):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))

        for number in range(first, first + count):
            rng = random.Random(f"{seed}/{number}")
            small = number % 10 == 3
            data = png(side // 4 if small else side, side, rng)
            if number % 50 == 7:
                data = b"no picture " + data[:40]
            add(f"{number:07d}.png", data)
            text = {"caption": f"A box number {number} beside another thing."}
            add(f"{number:07d}.json", json.dumps(text).encode())


def write_source(folder, count, shard=5000):
    """A new folder with so many pictures in WebDataset shards."""
    folder.mkdir()
    for first in range(0, count, shard):
        write_shard(folder / f"{first // shard:04d}.tar", first, min(shard, count - first))
