"""How long the import of a large file takes and how much memory, and that a killed import goes on to the same result.

    python3 Scripts/engine/large_import.py .build/release/chatrex --pictures 100000 --annotations 1300000 --gigabytes 2

The file is of LVIS's size and form, with masks as large as are needed for it; annotations are in no order. All pictures are one file of
64 x 64 under many names.
"""

import argparse
import hashlib
import os
import pathlib
import random
import resource
import signal
import subprocess
import tempfile
import time

import pictures

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program")
parser.add_argument("--pictures", type=int, default=100_000)
parser.add_argument("--annotations", type=int, default=1_300_000)
parser.add_argument("--gigabytes", type=float, default=2)
parser.add_argument("--kills", type=int, default=3)
options = parser.parse_args()


def write(place):
    random.seed(0)
    folder = place / "train2017"
    folder.mkdir()
    picture = pictures.png(64, 64, random.Random(0))
    mask = "1," * int(max(1, (options.gigabytes * 1e9 / options.annotations - 120) / 2)) + "1"
    with open(place / "lvis_v1_train.json", "w") as file:
        file.write('{"annotations": [')
        for number in range(options.annotations):
            x, y = random.random() * 40, random.random() * 40
            file.write(("," if number else "") + f'{{"id": {number}, "image_id": {random.randrange(options.pictures)}, "category_id": '
                       f'{random.randrange(1203)}, "bbox": [{x:.2f}, {y:.2f}, 20, 20], "area": 9, "segmentation": [[{mask}]]}}')
        file.write('], "images": [')
        for number in range(options.pictures):
            name = f"{number:012d}.jpg"
            # A file can have some ten thousand names only.
            if number % 10_000 == 0:
                first = folder / name
                first.write_bytes(picture)
            else:
                os.link(first, folder / name)
            file.write(("," if number else "") + f'{{"id": {number}, "coco_url": "http://images.cocodataset.org/train2017/{name}", '
                       f'"width": 64, "height": 64, "neg_category_ids": [1, 2], "not_exhaustive_category_ids": []}}')
        names = ",".join(f'{{"id": {number}, "name": "thing_{number}", "frequency": "c"}}' for number in range(1203))
        file.write(f'], "categories": [{names}]}}')


def command(place, out):
    return [options.program, "engine", "import", place / "lvis_v1_train.json", "--format", "lvis", "--pictures", place, "--out", place / out]


def digest(folder):
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            total.update(path.name.encode() + path.read_bytes())
    return total.hexdigest()


with tempfile.TemporaryDirectory() as place:
    place = pathlib.Path(place)
    write(place)
    size = (place / "lvis_v1_train.json").stat().st_size
    start = time.monotonic()
    print(subprocess.run(command(place, "whole"), check=True, capture_output=True, text=True).stdout.strip())
    seconds = time.monotonic() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{size / 1e9:.2f} GB and {options.pictures} pictures in {seconds:.0f} s, at most {memory:.0f} MB of memory")
    for kill in range(options.kills):
        process = subprocess.Popen(command(place, "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds * (0.5 + 0.4 * random.random()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (place / "killed").exists():
            break
    if not (place / "killed").exists():
        subprocess.run(command(place, "killed"), check=True, capture_output=True)
    print(f"after {options.kills} kills:", "the same" if digest(place / "whole") == digest(place / "killed") else "DIFFERENT")
