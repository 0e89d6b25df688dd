"""Compares the figures of `chatrex eval coco|lvis` on any files with those of pycocotools or lvis.

    Scripts/oracles.sh
    chatrex eval coco --gt GT --results RESULTS --json > ours.json
    .deps/oracles/bin/python Scripts/oracles/detection_figures.py coco GT RESULTS ours.json
"""

import contextlib
import io
import json
import logging
import pathlib
import sys

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

np.float = float  # lvis 0.5.3 uses a name that NumPy has dropped
from lvis import LVIS, LVISEval, LVISResults  # noqa: E402


def coco(truth_path, results_path):
    truth = COCO(truth_path)
    evaluation = COCOeval(truth, truth.loadRes(results_path), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    names = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
    return dict(zip(names, evaluation.stats))


def lvis(truth_path, results_path):
    truth = LVIS(truth_path)
    evaluation = LVISEval(truth, LVISResults(truth, results_path), "bbox")
    evaluation.run()
    found = evaluation.get_results()
    recalls = {"AR300": "AR@300", "ARs": "ARs@300", "ARm": "ARm@300", "ARl": "ARl@300"}
    names = ["AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf"]
    return {**{name: found[name] for name in names}, **{ours: found[theirs] for ours, theirs in recalls.items()}}


def main():
    kind, truth, results, path = sys.argv[1:]
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = {"coco": coco, "lvis": lvis}[kind](truth, results)
    ours = json.loads(pathlib.Path(path).read_text())
    largest = 0.0
    for name, value in theirs.items():
        difference = abs(ours.get(name, -1) - value)
        largest = max(largest, difference)
        print(f"{name:6} {value:12.9f} {ours.get(name, -1):12.9f} {difference:.1e}")
    print(f"largest difference {largest:.1e}")
    sys.exit(int(largest > 1e-6))


main()
