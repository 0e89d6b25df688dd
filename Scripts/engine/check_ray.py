"""Runs parts on several local Ray workers, kills one of them, and compares all that comes out with an undisturbed run.

    .deps/engine-venv/bin/pip install ray
    .deps/engine-venv/bin/python Scripts/engine/check_ray.py .build/release/chatrex --items 20000

Models answer at once (instant.yaml). Ends with 1 unless every file is the same and a worker was killed at work.
"""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pictures

HERE = pathlib.Path(__file__).parent
PARTS = 4


def kill_a_worker(killed):
    """Waits until a part has been at work for a while, then ends the Ray worker that it belongs to."""
    while True:
        found = subprocess.run(["pgrep", "-o", "-f", "ray::run_part"], capture_output=True, text=True).stdout.split()
        if found:
            time.sleep(6)
            if subprocess.run(["kill", f"-{signal.SIGKILL.value}", found[0]]).returncode == 0:
                killed.set()
            return
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--items", type=int, default=20000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        source = place / "source"
        pictures.write_source(source, options.items, shard=2500)
        killed = threading.Event()
        threading.Thread(target=kill_a_worker, args=[killed], daemon=True).start()
        subprocess.run(
            [sys.executable, HERE / "ray_run.py", "--program", options.program, "--recipe", HERE / "instant.yaml", "--in", source,
             "--out", place / "ray", "--parts", str(PARTS)], check=True)
        for part in range(PARTS):
            subprocess.run(
                [options.program, "engine", "run", HERE / "instant.yaml", "--in", source, "--out", place / "plain", "--shard",
                 f"{part}/{PARTS}"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # States hold times; everything else must agree.
        plain = sorted(file.relative_to(place / "plain") for file in (place / "plain").rglob("*") if file.is_file())
        plain = [name for name in plain if name.parts[0] != "parts"]
        differ = [str(name) for name in plain if not (place / "ray" / name).exists()
                  or (place / "ray" / name).read_bytes() != (place / "plain" / name).read_bytes()]
        print(f"a worker was killed: {'yes' if killed.is_set() else 'no'}; files that differ: {len(differ)} of {len(plain)} {differ[:3]}")
        sys.exit(0 if killed.is_set() and not differ and plain else 1)


if __name__ == "__main__":
    main()
