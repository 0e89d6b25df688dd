"""Region descriptions with the phrase in the prompt against descriptions without it (the paper's appendix C.3), on generated scenes.

    python3 Scripts/engine/compare_captions.py .build/release/chatrex --scenes 100 --out runs/engine-captions

Both runs share pictures, captions and boxes and differ by `rules.description.isConditioned`; nothing is filtered afterwards. A
description counts where its region covers an object by half or more, and is right when it names that object.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import offline


def words(text):
    return re.findall(r"[a-z]+", text.lower())


def names(description, category):
    """Whether a text has all words of a name; a plural is as good."""
    found = set(words(description))
    return all(word in found or word + "s" in found or word + "es" in found for word in words(category))


def score(out, truth):
    described = on_objects = right = own = named = named_right = 0
    for annotation in offline.annotations(out):
        objects = offline.objects(truth.get(pathlib.Path(annotation["source"]).name))
        for region in annotation["regions"]:
            if "description" not in region:
                continue
            described += 1
            own += names(region["description"], region["category"])
            best = max(objects, key=lambda thing: offline.overlap(thing[1], region["bbox"]), default=None)
            if best and offline.overlap(best[1], region["bbox"]) >= 0.5:
                is_right = names(region["description"], best[0])
                on_objects += 1
                right += is_right
                if names(region["phrase"] if "phrase" in region else region["category"], best[0]):
                    named += 1
                    named_right += is_right
    return {
        "described regions": described, "name their own phrase": round(own / max(described, 1), 3),
        "on an object": on_objects, "name that object": round(right / max(on_objects, 1), 3),
        "with the right phrase": named, "name the object there": round(named_right / max(named, 1), 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--scenes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--level", default="brief", help="how much the built-in model says: category, phrase, brief, sentence")
    parser.add_argument("--out", default="runs/engine-captions")
    options = parser.parse_args()
    place = pathlib.Path(options.out)
    source, truth = offline.scenes(options.program, place, options.scenes, options.seed)
    for name, conditioned in [("with the phrase", "true"), ("without", "false")]:
        recipe = place / f"conditioned-{conditioned}.yaml"
        recipe.write_text(
            f"caption: {{by: model, style: inventory}}\nregions: {{by: model, level: {options.level}}}\nrefinement: {{by: none}}\n"
            f"rules: {{description: {{isConditioned: {conditioned}}}}}\n")
        out = place / f"conditioned-{conditioned}"
        subprocess.run([options.program, "engine", "run", str(recipe), "--in", str(source), "--out", str(out)], check=True)
        print(name, score(out, truth))


if __name__ == "__main__":
    sys.exit(main())
