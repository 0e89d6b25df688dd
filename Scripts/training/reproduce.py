"""The paper's findings at the scale of the built-in model: trains every variant on the same scenes, for as many steps, and measures it.

    python3 Scripts/training/reproduce.py .build/release/chatrex --out runs/reproduce
    python3 Scripts/training/reproduce.py .build/release/chatrex --out runs/trial --scale 0.01 --scenes 5     # does it run?

Everything starts from the encoders and names of Models/nano, with fresh projectors and a fresh language model. Repeat the command to
go on after an interruption. Ends with OUT/report.md, OUT/results.json and OUT/curves-*.svg.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
NANO = HERE.parent.parent / "Models/nano"

# Steps of a stage at --scale 1.
STEPS = {"encoders": 2500, "align": 400, "perception": 400, "joint": 600, "upn": 900}

# As the recipes of the built-in model say it.
ENCODERS = {"renewedParts": ["language", "projectors"], "warmUpBatchSize": 3, "warmUpTrainsEmbeddings": False}
CONVERSATION = {
    "batchSize": 4, "sequenceLimit": 800, "encoderRate": 0, "projectorRate": 0.3, "embeddingRate": 0.1, "exchangeDensity": 2,
    "proposalsAloneRate": 0.8, "truthOverlapLimit": 0.5, "trainsLanguageModel": True,
}
RATES = {"encoders": 1.0e-3, "align": 6.0e-4, "perception": 5.0e-4, "joint": 5.0e-4, "upn": 8.0e-4}
UPN = {"batchSize": 4, "denoising": {"count": 30}, "evaluationScenes": 200, "phases": [{"end": 1.0, "sides": [192, 224]}]}


class Study:
    def __init__(self, options):
        self.program, self.place, self.options = options.program, pathlib.Path(options.out), options
        self.place.mkdir(parents=True, exist_ok=True)

    def run(self, *command):
        subprocess.run([self.program, *map(str, command)], check=True)

    def steps(self, stage):
        return max(2, round(STEPS[stage] * self.options.scale))

    def train(self, name, stage, recipe, *more, steps=None):
        """A run's folder, trained to its end."""
        folder, done = self.place / name, self.place / f"{name}.done"
        if not done.exists():
            steps = steps or self.steps(stage)
            warmup = max(1, min(40, steps // 10))
            given = {"steps": steps, "learningRate": RATES[stage], "warmupSteps": warmup, "averageDecay": 0.98,
                     "clipNorm": 0.5 if stage == "upn" else 3, "evaluationMinutes": 1, "precision": self.options.precision}
            text = self.place / f"{name}.yaml"
            text.write_text(json.dumps(dict(recipe, options=given), indent=1))  # JSON is YAML.
            self.run("train", stage, text, "--out", folder, *more)
            done.touch()
        return folder

    def encoders(self, features):
        return self.train(f"encoders-{features}", "encoders", dict(ENCODERS, objectFeatures=features), "--init", NANO)

    def stages(self, name, init, stages, notation="indices"):
        """The last of some stages (pairs of a stage and its steps, None for the usual ones), one after the other."""
        for number, (stage, steps) in enumerate(stages):
            recipe = {"conversation": CONVERSATION, "startsLanguageModel": number == 0, "boxNotation": notation}
            init = self.train(f"{name}-{stage}", stage, recipe, "--init", init, "--proposals", NANO / "upn", steps=steps)
        return init

    def measure(self, name, model, *more):
        """Figures of a run or model on validation scenes."""
        answers, result = self.place / f"{name}.answers.jsonl", self.place / f"{name}.result.json"
        if not result.exists():
            if (model / "log.jsonl").exists():
                exported = self.place / f"{name}.model"
                if not exported.exists():
                    self.run("model", "export", "--chatrex", model, "--upn", NANO / "upn", "--out", exported)
                model = exported
            report = subprocess.run(
                [self.program, "eval", "scenes", "--model", str(model), "--seed", "1", "--count", str(self.options.scenes), "--json",
                 "--answers", str(answers), *map(str, more)], check=True, capture_output=True, text=True).stdout
            figures = json.loads(report)
            detections = [line for line in map(json.loads, answers.read_text().splitlines()) if line["task"] == "detect"]
            lists = [re.findall(r"(?:<obj\d+>)+", line["answer"]) for line in detections]
            figures["tags"] = sum(run.count("<obj") for runs in lists for run in runs)
            result.write_text(json.dumps(figures, indent=1))
        return json.loads(result.read_text())

    def proposals(self, name, promptsApart):
        """The last evaluation of a proposal network."""
        folder = self.train(name, "upn", dict(UPN, promptsApart=promptsApart))
        events = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
        return [event for event in events if event["event"] == "evaluation"][-1]["values"]


def table(results, rows, columns):
    lines = ["| | " + " | ".join(title for title, _ in columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for title, key in rows:
        cells = [results[key].get(name) for _, name in columns]
        lines.append(f"| {title} | " + " | ".join("-" if cell is None else f"{cell:.3f}".rstrip("0").rstrip(".") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


DETECTION = [("precision", "precision_50"), ("recall", "recall_50"), ("mAP", "map"), ("AP50", "map_50"), ("referring", "refer_acc_50"),
             ("counts", "count_exact"), ("regions", "region_exact"), ("answers", "answers_exact")]
FORM = [("malformed", "malformed_answers"), ("truncated", "truncated_answers"), ("index tokens", "tags")]
PROPOSALS = [("fine AR", "fine_ar"), ("fine recall at 0.5", "fine_recall"), ("coarse AR", "coarse_ar"), ("coarse recall at 0.5", "coarse_recall")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--out", default="runs/reproduce")
    parser.add_argument("--scale", type=float, default=1, help="factor on all steps")
    parser.add_argument("--scenes", type=int, default=200, help="validation scenes of a measurement")
    parser.add_argument("--precision", default="float32", help="bfloat16 is faster where the processor multiplies it (avx512_bf16)")
    options = parser.parse_args()
    study = Study(options)
    results = {}
    usual = [("align", None), ("perception", None), ("joint", None)]

    base = study.encoders("convnext")
    retrieval = study.stages("retrieval", base, usual)
    results["retrieval"] = study.measure("retrieval", retrieval)
    coordinates = study.stages("coordinates", base, usual, notation="coordinates")
    results["coordinates"] = study.measure("coordinates", coordinates)
    for count in (10, 30, 100):
        results[f"boxes-{count}"] = study.measure(f"boxes-{count}", NANO, "--proposal-conf", 0, "--max-boxes", count)
    results["stage-2"] = study.measure("stage-2", study.place / "retrieval-perception")
    clip = study.stages("clip", study.encoders("clip"), usual)
    results["clip"] = study.measure("clip", clip)
    # As many steps in all as with stage 2, after the same alignment.
    longer = study.train(
        "direct-joint", "joint", {"conversation": CONVERSATION}, "--init", study.place / "retrieval-align", "--proposals", NANO / "upn",
        steps=study.steps("perception") + study.steps("joint"))
    results["direct"] = study.measure("direct", longer)
    results["apart"] = study.proposals("upn-apart", True)
    results["together"] = study.proposals("upn-together", False)

    (study.place / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    sections = [
        ("Retrieval against coordinates", [("indices", "retrieval"), ("coordinates", "coordinates")], DETECTION + FORM),
        ("Features of objects", [("ConvNeXt", "retrieval"), ("CLIP", "clip")], DETECTION),
        ("Stages", [("stages 1, 2", "stage-2"), ("stages 1, 2, 3", "retrieval"), ("stages 1, 3, as many steps", "direct")], DETECTION),
        ("Prompts of the proposal network", [("one a granularity", "apart"), ("one for all", "together")], PROPOSALS),
        ("Proposals shown to Models/nano", [(f"{count}", f"boxes-{count}") for count in (10, 30, 100)], DETECTION),
    ]
    report = "\n".join(f"## {title}\n\n{table(results, rows, columns)}" for title, rows, columns in sections)
    (study.place / "report.md").write_text(report)
    print(report)
    for name, runs in [
        ("stages", ["retrieval-joint", "coordinates-joint", "clip-joint", "direct-joint"]), ("proposals", ["upn-apart", "upn-together"]),
    ]:
        study.run("curves", *[study.place / run for run in runs], "--out", study.place / f"curves-{name}.svg")


if __name__ == "__main__":
    sys.exit(main())
