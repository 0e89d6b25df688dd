"""How many pictures a minute the engine itself handles, with models that answer at once, and how much memory it takes.

    python3 Scripts/engine/overhead.py .build/release/chatrex --items 10000
    python3 Scripts/engine/overhead.py .build/release/chatrex --items 100000

Pictures are 64 x 64 PNG files in WebDataset shards; the engine reads, decodes, hashes, writes and indexes them.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pictures

HERE = pathlib.Path(__file__).parent


def resident(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--items", type=int, default=10000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        source = place / "source"
        pictures.write_source(source, options.items)
        command = [options.program, "engine", "run", str(HERE / "instant.yaml"), "--in", str(source), "--out", str(place / "out")]
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        memory = []
        while process.poll() is None:
            memory.append((time.monotonic() - start, resident(process.pid)))
            time.sleep(0.5)
        _, status, usage = 0, process.returncode, os.times()
        seconds = time.monotonic() - start
        if status != 0:
            sys.exit(f"the engine ended with {status}")
        processor = usage.children_user + usage.children_system
        state = json.loads(
            subprocess.run([options.program, "engine", "status", str(place / "out"), "--json"], check=True, capture_output=True).stdout)
        print(f"{state['pictures']} pictures in {seconds:.1f} s: {state['pictures'] / seconds * 60:.0f} a minute")
        print(f"{state['pictures'] / processor * 60:.0f} a minute for each core's time ({processor:.1f} s)")
        known = [(at, size) for at, size in memory if size]
        for share in (0.1, 0.25, 0.5, 0.75, 1):
            at, size = known[min(int(share * len(known)), len(known) - 1)]
            print(f"memory after {at:.0f} s: {size:.0f} MiB")


if __name__ == "__main__":
    main()
