"""Kills the engine at random moments and compares what it made with an undisturbed run.

    python3 Scripts/engine/survive.py .build/release/chatrex --items 2000 --kills 200

Two processes work on the two parts of one source; each is killed with SIGKILL again and again and started anew, until it ends by itself.
All files of the output must equal those of a run that nobody disturbed, and every picture must have ended exactly once.
"""

import argparse
import hashlib
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import pictures

HERE = pathlib.Path(__file__).parent


def command(program, recipe, source, out, part):
    return [program, "engine", "run", str(recipe), "--in", str(source), "--out", str(out), "--shard", f"{part}/2"]


def output(folder):
    files = [folder / "index.jsonl", folder / "shards.json", *(folder / "shards").iterdir()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds that a process lives at most while kills are left")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        source = place / "source"
        source.mkdir()
        for shard in range(4):
            count = options.items // 4
            pictures.write_shard(source / f"{shard:03d}.tar", shard * count, count)
        # Answers take a little while, so that a run outlives the kills.
        recipe = place / "recipe.yaml"
        settings = HERE.joinpath("instant.yaml").read_text()
        recipe.write_text(settings + "instantMilliseconds: 60\noptions:\n  picturesPerShard: 100\n  width:\n    collect: 4\n    caption: 2\n    describe: 2\n")
        calm = place / "calm"
        for part in (0, 1):
            subprocess.run(command(program, recipe, source, calm, part), check=True, capture_output=True)

        disturbed = place / "disturbed"
        left, lock, failures = [options.kills], threading.Lock(), []

        def work(part):
            rng = random.Random(f"{options.seed}/{part}")
            starts = 0
            while True:
                starts += 1
                process = subprocess.Popen(
                    command(program, recipe, source, disturbed, part), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                with lock:
                    kills = left[0] > 0
                try:
                    _, errors = process.communicate(timeout=rng.uniform(0.05, options.longest) if kills else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
                    with lock:
                        left[0] -= 1
                    continue
                if process.returncode != 0:
                    failures.append(errors.decode())
                return

        start = time.monotonic()
        threads = [threading.Thread(target=work, args=(part,)) for part in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        kills = options.kills - left[0]
        status = json.loads(
            subprocess.run([program, "engine", "status", str(disturbed), "--json"], check=True, capture_output=True).stdout)
        first, second = output(calm), output(disturbed)
        different = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
        keys = [json.loads(line)["key"] for line in (disturbed / "index.jsonl").read_text().splitlines()]
        ended = status["annotated"] + status["dropped"] + status["failed"]
        print(f"kills: {kills} in {time.monotonic() - start:.0f} s")
        print(f"pictures: {status['pictures']}; annotated {status['annotated']}, dropped {status['dropped']}, failed {status['failed']}")
        print(f"lost: {options.items - ended}; doubled: {len(keys) - len(set(keys))}; files that differ: {len(different)} of {len(first)}")
        for failure in failures:
            print("failed:", failure, file=sys.stderr)
        isGood = not different and not failures and ended == options.items == status["pictures"] and len(keys) == len(set(keys))
        sys.exit(0 if isGood else 1)


if __name__ == "__main__":
    main()
