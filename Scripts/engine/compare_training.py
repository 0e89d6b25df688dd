"""A model trained on what the engine found against one trained on perfect labels of the same pictures, for as many steps.

    python3 Scripts/engine/compare_training.py .build/release/chatrex --init runs/align --scenes 400 --out runs/engine-training

Scenes are drawn and annotated by the engine (Recipes/engine-offline.yaml, or --recipe). Both trainings see the pictures that the
engine annotated, with its annotations and with the true ones: the proposal network from nothing, and stage `joint` from --init, a
run or model folder. Both are judged on other scenes.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

import offline

HERE = pathlib.Path(__file__).parent


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


def perfect(place, keys):
    """The true annotations of some pictures, as a folder to train with."""
    folder = place / "perfect"
    folder.mkdir(exist_ok=True)
    lines = [line for line in (place / "scenes/annotations.jsonl").read_text().splitlines() if json.loads(line)["key"] in keys]
    (folder / "annotations.jsonl").write_text("\n".join(lines) + "\n")
    if not (folder / "pictures").exists():
        os.symlink((place / "scenes/pictures").resolve(), folder / "pictures")
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--init", required=True)
    parser.add_argument("--proposals", default="Models/nano/upn")
    parser.add_argument("--recipe", default=str(HERE.parent.parent / "Recipes/engine-offline.yaml"))
    parser.add_argument("--scenes", type=int, default=400)
    parser.add_argument("--seed", type=int, default=700000)
    parser.add_argument("--upn-steps", type=int, default=600)
    parser.add_argument("--joint-steps", type=int, default=300)
    parser.add_argument("--precision", default="float32", help="bfloat16 is faster where the processor multiplies it (avx512_bf16)")
    parser.add_argument("--test-scenes", type=int, default=100)
    parser.add_argument("--out", default="runs/engine-training")
    options = parser.parse_args()
    place, program = pathlib.Path(options.out), options.program
    source, truth = offline.scenes(program, place, options.scenes, options.seed, split="training")
    if not (place / "test").exists():
        run(program, "scenes", "--out", place / "test", "--count", options.test_scenes, "--seed", 1, "--split", "validation")
    run(program, "engine", "run", options.recipe, "--in", source, "--out", place / "engine")
    print("engine", json.dumps(offline.score(place / "engine", truth)))
    keys = {pathlib.Path(annotation["source"]).stem for annotation in offline.annotations(place / "engine")}
    recipes = {
        "upn": f"batchSize: 4\ndenoising: {{count: 30}}\nphases:\n  - {{end: 1.0, sides: [192, 224]}}\n"
               f"options: {{steps: {options.upn_steps}, learningRate: 8.0e-4, warmupSteps: 100, clipNorm: 0.5, averageDecay: 0.99, precision: {options.precision}}}\n",
        "joint": "conversation: {batchSize: 4, sequenceLimit: 800, encoderRate: 0, projectorRate: 0.3, embeddingRate: 0.1, "
                 "proposalsAloneRate: 0.8, truthOverlapLimit: 0.5, exchangeDensity: 2, trainsLanguageModel: true}\n"
                 f"options: {{steps: {options.joint_steps}, learningRate: 5.0e-4, warmupSteps: 40, clipNorm: 3, averageDecay: 0.98, precision: {options.precision}}}\n",
    }
    for name, recipe in recipes.items():
        (place / f"{name}.yaml").write_text(recipe)
    for name, data in [("engine", place / "engine"), ("perfect", perfect(place, keys))]:
        for stage, more in [("upn", []), ("joint", ["--init", options.init, "--proposals", options.proposals])]:
            run(program, "train", stage, place / f"{stage}.yaml", "--data", data, "--out", place / f"{stage}-{name}", *more)
        # The language models are compared with equal boxes.
        for model, boxes in [(f"language-{name}", options.proposals), (f"proposals-{name}", place / f"upn-{name}")]:
            if not (place / model).exists():
                run(program, "model", "export", "--chatrex", place / f"joint-{name}", "--upn", boxes, "--out", place / model)
    print(f"{len(keys)} pictures; UPN {options.upn_steps} steps, joint {options.joint_steps} steps")
    for name in ["engine", "perfect"]:
        print(name)
        run(program, "eval", "proposals", "--gt", place / "test/annotations.json", "--images", place / "test/pictures",
            "--model", place / f"proposals-{name}", "--json")
        run(program, "eval", "scenes", "--model", place / f"language-{name}", "--seed", 1, "--count", options.test_scenes, "--json")


if __name__ == "__main__":
    sys.exit(main())
