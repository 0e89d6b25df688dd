"""The whole engine without a network, on generated scenes and real photographs, measured against the scenes' known truth.

    Scripts/engine/install.sh
    .deps/engine-venv/bin/pip install scikit-image
    .deps/engine-venv/bin/python Scripts/engine/offline.py .build/release/chatrex --scenes 980 --out runs/engine-offline

The built-in model captions, grounds and describes, spaCy finds phrases, rules refine (Recipes/engine-offline.yaml, or --recipe).
A region counts as right when it overlaps an object of its category by half or more; every object counts once.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent


def photographs(folder):
    """The pictures that scikit-image brings with it."""
    import skimage.data
    import skimage.io

    names = ["astronaut", "cat", "chelsea", "coffee", "rocket", "hubble_deep_field", "camera", "coins", "moon", "page", "text", "clock",
             "horse", "immunohistochemistry", "retina", "brick", "grass", "gravel", "colorwheel", "motorcycle"]
    count = 0
    for name in names:
        try:
            picture = getattr(skimage.data, name)()
        except Exception:  # Some are fetched from a network that is not there.
            continue
        if not hasattr(picture, "dtype"):
            continue
        if picture.dtype == bool:
            picture = picture.astype("uint8") * 255
        skimage.io.imsave(folder / f"photo-{name}.png", picture, check_contrast=False)
        count += 1
    return count


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def score(out, truth):
    """Precision and recall of regions, and of their texts, on scenes."""
    right = regions = objects = seen = 0
    texts = collections.Counter()
    shards = {}
    for line in (out / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        data = shards.setdefault(entry["shard"], (out / "shards" / entry["shard"]).read_bytes())
        start, length = entry["annotation"]
        annotation = json.loads(data[start : start + length])
        for region in annotation["regions"]:
            for name in ("category", "phrase", "description", "referring_expression"):
                texts[name] += name in region
        name = pathlib.Path(annotation["source"]).name
        if name not in truth:
            continue
        seen += 1
        things = [(thing["category"], [*thing["bbox"][:2], thing["bbox"][0] + thing["bbox"][2], thing["bbox"][1] + thing["bbox"][3]])
                  for thing in truth[name]["objects"]]
        objects += len(things)
        taken = set()
        for region in sorted(annotation["regions"], key=lambda region: -region["score"]):
            regions += 1
            for number, (category, box) in enumerate(things):
                if number not in taken and category == region["category"] and overlap(box, region["bbox"]) >= 0.5:
                    taken.add(number)
                    right += 1
                    break
    return {
        "scenes annotated": seen, "regions": regions, "objects": objects,
        "precision": round(right / max(regions, 1), 3), "recall": round(right / max(objects, 1), 3), "texts": dict(texts),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--scenes", type=int, default=980)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--recipe", default=str(HERE.parent.parent / "Recipes/engine-offline.yaml"))
    parser.add_argument("--out", default="runs/engine-offline")
    parser.add_argument("--no-photographs", action="store_true")
    options = parser.parse_args()
    place = pathlib.Path(options.out)
    source, scenes, out = place / "pictures", place / "scenes", place / "out"
    if not source.exists():
        subprocess.run(
            [options.program, "scenes", "--out", str(scenes), "--count", str(options.scenes), "--seed", str(options.seed),
             "--split", "validation"], check=True)
        source.mkdir(parents=True)
        for file in sorted((scenes / "images").iterdir()):
            (source / file.name).symlink_to(file.resolve())
        if not options.no_photographs:
            print(f"photographs: {photographs(source)}")
    truth = {}
    for line in (scenes / "scenes.jsonl").read_text().splitlines():
        record = json.loads(line)
        truth[pathlib.Path(record["file"]).name] = record
    start = time.monotonic()
    subprocess.run(
        [options.program, "engine", "run", options.recipe, "--in", str(source), "--out", str(out)], check=True)
    print(f"took {time.monotonic() - start:.0f} s")
    subprocess.run([options.program, "engine", "status", str(out)], check=True)
    print(json.dumps(score(out, truth), indent=1))


if __name__ == "__main__":
    sys.exit(main())
