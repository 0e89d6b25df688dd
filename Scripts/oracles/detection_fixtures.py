"""Writes the fixtures of EvaluationTests: random datasets and what pycocotools and lvis say about them.

    Scripts/oracles.sh
    .deps/oracles/bin/python Scripts/oracles/detection_fixtures.py Tests/EvaluationTests/Fixtures
"""

import contextlib
import io
import json
import pathlib
import random
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

np.float = float  # lvis 0.5.3 uses a name that NumPy has dropped
from lvis import LVIS, LVISEval, LVISResults  # noqa: E402


def number(rng, low, high, digits):
    value = rng.uniform(low, high)
    return round(value) if digits == 0 else round(value, digits)


def random_box(rng, side, digits):
    largest = side * rng.choice([0.05, 0.2, 0.6])
    width, height = number(rng, 1, largest, digits), number(rng, 1, largest, digits)
    return [number(rng, 0, side - width, digits), number(rng, 0, side - height, digits), width, height]


def jittered(rng, box, digits):
    spread = rng.choice([0, 0.05, 0.15, 0.4])
    x, y, w, h = box
    moved = [x + rng.gauss(0, spread) * w, y + rng.gauss(0, spread) * h,
             max(1, w * (1 + rng.gauss(0, spread))), max(1, h * (1 + rng.gauss(0, spread)))]
    return [round(v) if digits == 0 else round(v, digits) for v in moved]


def random_dataset(seed, images, categories, digits, score_digits, federated=False, crowded=0, side=400):
    rng = random.Random(seed)
    dataset = {"images": [], "annotations": [], "categories": [], "info": {}}
    results = []
    for category in range(1, categories + 1):
        dataset["categories"].append({"id": category * 3, "name": f"c{category}", "synset": f"c{category}.n.01"})
        if federated:
            dataset["categories"][-1]["frequency"] = "rcf"[category % 3]
    ids = [c["id"] for c in dataset["categories"]]
    order = rng.sample(range(1, images * 5), images)  # ids in no order
    for image_id in order:
        image = {"id": image_id, "width": side, "height": side, "file_name": f"{image_id}.jpg"}
        if federated:
            image["neg_category_ids"] = rng.sample(ids, 3)
            image["not_exhaustive_category_ids"] = rng.sample(ids, 2)
        dataset["images"].append(image)
        for _ in range(crowded or rng.choice([0, 1, 3, 8])):
            category, box = rng.choice(ids), random_box(rng, side, digits)
            area = box[2] * box[3] * rng.choice([1, 1, 0.6])
            annotation = {"id": len(dataset["annotations"]) + 1, "image_id": image_id, "category_id": category,
                          "bbox": box, "area": area, "segmentation": []}
            if not federated:
                annotation["iscrowd"] = int(rng.random() < 0.1)
            dataset["annotations"].append(annotation)
            for _ in range(rng.choice([0, 1, 1, 2, 4])):
                found = category if rng.random() < 0.85 else rng.choice(ids)
                results.append({"image_id": image_id, "category_id": found, "bbox": jittered(rng, box, digits),
                                "score": round(rng.random(), score_digits)})
        for _ in range(rng.choice([0, 2, 6])):
            results.append({"image_id": image_id, "category_id": rng.choice(ids),
                            "bbox": random_box(rng, side, digits), "score": round(rng.random(), score_digits)})
    rng.shuffle(results)
    return dataset, results


def coco_expected(dataset, results, max_detections=(1, 10, 100), use_categories=True):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = json.loads(json.dumps(dataset))
        truth.createIndex()
        found = truth.loadRes(json.loads(json.dumps(results)))
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.maxDets = list(max_detections)
        evaluation.params.useCats = int(use_categories)
        evaluation.evaluate()
        evaluation.accumulate()
    precision, recall = evaluation.eval["precision"], evaluation.eval["recall"]

    def mean(values):
        values = values[values > -1]
        return float(values.mean()) if values.size else None

    expected = {
        "ap": mean(precision[..., 0, -1]), "ap50": mean(precision[0, ..., 0, -1]), "ap75": mean(precision[5, ..., 0, -1]),
        "apSmall": mean(precision[..., 1, -1]), "apMedium": mean(precision[..., 2, -1]),
        "apLarge": mean(precision[..., 3, -1]),
        "arSmall": mean(recall[..., 1, -1]), "arMedium": mean(recall[..., 2, -1]), "arLarge": mean(recall[..., 3, -1]),
        "recall50": mean(recall[0, :, 0, -1]),
        "recalls": [mean(recall[:, :, 0, m]) for m in range(len(max_detections))],
    }
    if tuple(max_detections) == (1, 10, 100) and use_categories:  # what pycocotools itself prints
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation.summarize()
        names = ["ap", "ap50", "ap75", "apSmall", "apMedium", "apLarge"]
        printed = [expected[n] for n in names] + expected["recalls"] + [
            expected[n] for n in ["arSmall", "arMedium", "arLarge"]]
        assert np.allclose([-1 if v is None else v for v in printed], evaluation.stats)
    return {k: v for k, v in expected.items() if v is not None}


def lvis_expected(dataset, results, scratch):
    path = scratch / "lvis.tmp.json"
    path.write_text(json.dumps(dataset))
    try:
        truth = LVIS(str(path))
    finally:
        path.unlink()
    evaluation = LVISEval(truth, LVISResults(truth, json.loads(json.dumps(results))), "bbox")
    evaluation.run()
    names = {"AP": "ap", "AP50": "ap50", "AP75": "ap75", "APs": "apSmall", "APm": "apMedium", "APl": "apLarge",
             "APr": "apRare", "APc": "apCommon", "APf": "apFrequent",
             "ARs@300": "arSmall", "ARm@300": "arMedium", "ARl@300": "arLarge"}
    expected = {names[k]: float(v) for k, v in evaluation.get_results().items() if k in names and v > -1}
    expected["recalls"] = [float(evaluation.get_results()["AR@300"])]
    return expected


def lean(dataset):
    """Leaves out what our reader does not need."""
    for record in dataset["annotations"]:
        record.pop("segmentation", None)
    for record in dataset["categories"]:
        record.pop("synset", None)
    return {k: v for k, v in dataset.items() if k != "info"}


def write(folder, name, kind, dataset, results, expected, **more):
    fixture = {"kind": kind, "dataset": lean(dataset), "results": results, "expected": expected, **more}
    (folder / f"{name}.json").write_text(json.dumps(fixture, separators=(",", ":"), sort_keys=True) + "\n")
    print(name, len(dataset["images"]), "images", len(results), "results", expected)


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {
        # Whole pixels and one-digit scores: ties of score and of IoU, IoUs that meet thresholds exactly.
        "coco-ties": dict(seed=1, images=40, categories=4, digits=0, score_digits=1),
        "coco-decimals": dict(seed=2, images=50, categories=7, digits=2, score_digits=4),
        # Few tiny objects: some sizes and categories stay empty.
        "coco-sparse": dict(seed=3, images=8, categories=9, digits=1, score_digits=2, side=60),
        # More detections than the limits of 1, 10 and 100.
        "coco-dense": dict(seed=4, images=3, categories=1, digits=1, score_digits=2, crowded=90),
    }
    for name, options in cases.items():
        dataset, results = random_dataset(**options)
        write(folder, name, "coco", dataset, results, coco_expected(dataset, results))
    dataset, results = random_dataset(seed=5, images=12, categories=3, digits=1, score_digits=3, crowded=9)
    write(folder, "proposals", "proposals", dataset, results,
          coco_expected(dataset, results, (8,), use_categories=False), maxProposals=8)
    for name, options in {
        "lvis": dict(seed=6, images=50, categories=9, digits=1, score_digits=2),
        # More than 300 detections an image.
        "lvis-dense": dict(seed=7, images=3, categories=6, digits=0, score_digits=1, crowded=220),
    }.items():
        dataset, results = random_dataset(federated=True, **options)
        write(folder, name, "lvis", dataset, results, lvis_expected(dataset, results, folder))


if __name__ == "__main__":
    main()
