"""Runs the engine on a Ray cluster: each part of the source is a task, repeated when its worker dies.

    pip install ray
    python3 Scripts/engine/ray_run.py --program chatrex --recipe recipe.yaml --in SOURCE --out DIR --parts 16

Every machine must see SOURCE and DIR under the same names. The parts are independent; the last to finish writes the index of all.
"""

import argparse
import json
import os
import subprocess
import sys

import ray


def run_part(command, part, parts):
    """One part, in a process that ends with its worker."""
    result = subprocess.run(
        [*command, "--shard", f"{part}/{parts}"], capture_output=True, text=True, preexec_fn=end_with_parent)
    if result.returncode < 0:
        raise RuntimeError(f"part {part} was ended by signal {-result.returncode}")
    return part, result.returncode, result.stdout.strip(), result.stderr.strip()


def end_with_parent():
    """Linux: the kernel kills this process when its parent dies, so that a repeated task finds its part free."""
    if sys.platform == "linux":
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="chatrex")
    parser.add_argument("--recipe", required=True)
    parser.add_argument("--in", dest="source", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--parts", type=int, required=True)
    parser.add_argument("--cores", type=float, default=1, help="of a part")
    parser.add_argument("--gpus", type=float, default=0, help="of a part")
    parser.add_argument("--retries", type=int, default=10, help="of a part whose worker died")
    parser.add_argument("--address", help="of the cluster; a local one otherwise")
    options = parser.parse_args()
    ray.init(address=options.address, log_to_driver=False)
    command = [
        options.program, "engine", "run", os.path.abspath(options.recipe), "--in", os.path.abspath(options.source),
        "--out", os.path.abspath(options.out),
    ]
    task = ray.remote(num_cpus=options.cores, num_gpus=options.gpus, max_retries=options.retries, retry_exceptions=[RuntimeError])(run_part)
    waiting = [task.remote(command, part, options.parts) for part in range(options.parts)]
    failed = 0
    while waiting:
        done, waiting = ray.wait(waiting)
        for part, code, text, errors in ray.get(done):
            print(f"part {part}: {text or errors}", flush=True)
            failed += code != 0
    status = json.loads(subprocess.run(
        [options.program, "engine", "status", options.out, "--json"], check=True, capture_output=True).stdout)
    print(json.dumps({key: status[key] for key in ("pictures", "annotated", "dropped", "failed", "open", "completeParts")}))
    sys.exit(1 if failed or status["open"] else 0)


if __name__ == "__main__":
    main()
