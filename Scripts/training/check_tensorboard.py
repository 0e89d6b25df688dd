#!/usr/bin/env python3
"""Compares what TensorBoard reads from a run's event files with the run's log.jsonl.

    python3 -m venv /tmp/tensorboard && /tmp/tensorboard/bin/pip install tensorboard
    /tmp/tensorboard/bin/python Scripts/training/check_tensorboard.py runs/NAME
"""
import json
import sys

from tensorboard.backend.event_processing import event_accumulator


def logged(folder):
    """Scalars of the log by tag: [(step, value)]; steps that were done again count once."""
    groups = {"step": "train", "evaluation": "validation"}
    scalars = {}
    with open(f"{folder}/log.jsonl") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["event"] == "start":
                for points in scalars.values():
                    points[:] = [point for point in points if point[0] <= entry["step"]]
            elif entry["event"] in groups:
                for name, value in entry["values"].items():
                    tag = f"{groups[entry['event']]}/{name}"
                    scalars.setdefault(tag, []).append((entry["step"], float(value)))
    return scalars


def main(folder):
    events = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.SCALARS: 0})
    events.Reload()
    expected = logged(folder)
    found = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert found.keys() == expected.keys(), f"tags differ: {sorted(found.keys() ^ expected.keys())}"
    count = 0
    for tag, points in expected.items():
        # A session may tell of the step that it starts at once more, as an evaluation at the end does.
        assert dict(found[tag]).keys() == dict(points).keys(), f"{tag}: steps differ"
        for step, value in points:
            read = dict(found[tag])[step]
            close = abs(read - value) <= 1e-6 * max(1.0, abs(value)) or (read != read and value != value)
            assert close or dict(points)[step] != value, f"{tag} at step {step}: {read} instead of {value}"
            count += 1
    assert count, "the log has no figures"
    print(f"{folder}: TensorBoard reads {count} values under {len(found)} tags as they were logged")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for run in sys.argv[1:]:
        main(run)
