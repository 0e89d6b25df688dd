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


def annotations(out):
    """What the engine wrote, in the order of its index."""
    for line in (out / "index.jsonl").read_text().splitlines():
        entry = json.loads(line)
        start, length = entry["annotation"]
        with open(out / "shards" / entry["shard"], "rb") as shard:
            shard.seek(start)
            yield json.loads(shard.read(length))


def objects(scene):
    """Names and corners of a scene's objects; none for what is no scene."""
    return [(thing["category"], [x, y, x + width, y + height])
            for thing in (scene["objects"] if scene else []) for x, y, width, height in [thing["bbox"]]]


def score(out, truth):
    """Precision and recall of regions, and of their texts, on scenes."""
    right = regions = things = seen = 0
    texts = collections.Counter()
    for annotation in annotations(out):
        for region in annotation["regions"]:
            for name in ("category", "phrase", "description", "referring_expression"):
                texts[name] += name in region
        name = pathlib.Path(annotation["source"]).name
        if name not in truth:
            continue
        seen += 1
        true = objects(truth[name])
        things += len(true)
        taken = set()
        for region in sorted(annotation["regions"], key=lambda region: -region["score"]):
            regions += 1
            for number, (category, box) in enumerate(true):
                if number not in taken and category == region["category"] and overlap(box, region["bbox"]) >= 0.5:
                    taken.add(number)
                    right += 1
                    break
    return {
        "scenes annotated": seen, "regions": regions, "objects": things,
        "precision": round(right / max(regions, 1), 3), "recall": round(right / max(things, 1), 3), "texts": dict(texts),
    }


def scenes(program, place, count, seed, split="validation"):
    """A folder of pictures that are links to scenes, and what is true of each by its file's name."""
    source, made = place / "pictures", place / "scenes"
    if not source.exists():
        subprocess.run(
            [program, "scenes", "--out", str(made), "--count", str(count), "--seed", str(seed), "--split", split], check=True)
        source.mkdir(parents=True)
        for file in sorted((made / "pictures").iterdir()):
            (source / file.name).symlink_to(file.resolve())
    records = [json.loads(line) for line in (made / "scenes.jsonl").read_text().splitlines()]
    return source, {pathlib.Path(record["file"]).name: record for record in records}


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
    is_new = not (place / "pictures").exists()
    source, truth = scenes(options.program, place, options.scenes, options.seed)
    if is_new and not options.no_photographs:
        print(f"photographs: {photographs(source)}")
    out = place / "out"
    start = time.monotonic()
    subprocess.run(
        [options.program, "engine", "run", options.recipe, "--in", str(source), "--out", str(out)], check=True)
    print(f"took {time.monotonic() - start:.0f} s")
    subprocess.run([options.program, "engine", "status", str(out)], check=True)
    print(json.dumps(score(out, truth), indent=1))


if __name__ == "__main__":
    sys.exit(main())
