"""Lets a public harness, lmms-eval, ask `chatrex serve` about drawn scenes. Python's standard library is enough to start it.

    python3 Scripts/evaluation/harness.py .build/release/chatrex

installs lmms-eval from PyPI into .deps/harness-venv (at once when it is there; safe to repeat, also after it was killed), draws
scenes, serves the model and prints the harness's table. Ends with 1 when anything fails, a request was not answered or a score is
missing. Requests and scores are the harness's own: its model `openai`, its metric `exact_match`. Only the task is ours, and it is
written into the run's folder: a picture, a question of its scene, and the short answer ("3", "yes", "red"). The harness can send no
fields of ours, so it asks the model `nano:chat`, which answers without tags. No network is used to run it.
"""

import argparse
import collections
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

root = pathlib.Path(__file__).resolve().parents[2]
venv = root / ".deps/harness-venv"
python = venv / "bin/python"
requirements = pathlib.Path(__file__).with_name("harness_requirements.txt")
LMMS_EVAL, TORCH = "lmms_eval==0.7.3", "2.13.0"

KINDS = ["presence", "count", "comparison", "extreme", "neighbour", "place", "color"]
# What the harness writes for an answer when no request succeeded; it would count as a wrong answer.
FAILED = "[LMMS_EVAL_"


def positive(text):
    if (number := int(text)) < 1:
        raise ValueError
    return number


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("program", help="the chatrex program")
parser.add_argument("--model", default="nano", help="as chatrex serve has it (default: nano)")
parser.add_argument("--scenes", type=positive, default=100, help="pictures; one question of each kind about each (default: 100)")
parser.add_argument("--seed", type=int, default=1, help="of the first scene (default: 1)")
parser.add_argument("--suffix", default="", help="a text after each question, as many public tasks have one")
parser.add_argument("--port", type=int, default=0, help="of the server (default: a free one)")
parser.add_argument("--out", type=pathlib.Path, default=root / "runs/harness", help="made anew (default: runs/harness)")
parser.add_argument("--install-only", action="store_true", help="install the harness and do nothing else")


def say(text):
    print(f"harness: {text}", file=sys.stderr, flush=True)


def fail(text):
    sys.exit(f"harness: error: {text}")


def install():
    venv.parent.mkdir(exist_ok=True)
    with open(venv.parent / "harness-install.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another installation goes first
        stamp, wanted = venv / "installed.stamp", requirements.read_text() + LMMS_EVAL + TORCH
        state = hashlib.sha256(wanted.encode()).hexdigest()
        # The stamp is written last: without it the installation was cut short. A Python that was removed leaves a dead link.
        if stamp.exists() and stamp.read_text() == state and python.exists():
            return
        if sys.version_info < (3, 11):
            fail("the harness needs Python 3.11 or newer")
        stamp.unlink(missing_ok=True)
        if subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode if python.exists() else True:
            shutil.rmtree(venv, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        say(f"installing {LMMS_EVAL} into {venv.relative_to(root)}")
        # The harness imports torch but computes nothing with it here, so the small build for the CPU is tried first.
        pip("--quiet", f"torch=={TORCH}+cpu", may_fail=True) \
            or pip("--quiet", f"torch=={TORCH}", "--index-url", "https://download.pytorch.org/whl/cpu", may_fail=True) \
            or pip("--quiet", f"torch=={TORCH}")
        pip("--quiet", "--requirement", requirements)
        pip("--quiet", "--no-deps", LMMS_EVAL)
        if subprocess.run([python, "-c", "import lmms_eval.__main__, lmms_eval.models.chat.openai"]).returncode:
            fail(f"what was installed does not work; remove {venv.relative_to(root)} and try again")
        stamp.write_text(state)


def pip(*what, may_fail=False):
    done = subprocess.run([python, "-m", "pip", "install", "--disable-pip-version-check", *what],
                          stderr=subprocess.DEVNULL if may_fail else None)
    if done.returncode and not may_fail:
        fail(f"pip could not install {' '.join(map(str, what))}")
    return done.returncode == 0


def draw_questions(arguments):
    """Draws scenes and writes the first question of each kind about each, a file a kind."""
    scenes = arguments.out / "scenes"
    drawn = subprocess.run(
        [arguments.program, "scenes", "--out", scenes, "--count", str(arguments.scenes), "--seed", str(arguments.seed),
         "--split", "validation"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if drawn.returncode:
        fail(f"no scenes were drawn: {drawn.stderr.strip()}")
    chosen = collections.defaultdict(list)
    for line in open(scenes / "scenes.jsonl"):
        scene = json.loads(line)
        asked = set()
        for question in scene["questions"]:
            if question["kind"] in KINDS and question["kind"] not in asked:
                asked.add(question["kind"])
                chosen[question["kind"]].append({
                    "picture": str(scenes / scene["file"]), "question": question["question"] + arguments.suffix,
                    "answer": question["shortAnswer"]})
    for kind, questions in chosen.items():
        (arguments.out / f"{kind}.jsonl").write_text("".join(json.dumps(each) + "\n" for each in questions))
    return chosen


def write_tasks(folder, kinds, data):
    """Writes the task of each kind and the group of all. A YAML file may hold JSON."""
    folder.mkdir()
    for kind in kinds:
        (folder / f"{kind}.yaml").write_text(json.dumps({
            "task": f"scenes_{kind}", "task_alias": kind, "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": str(data / f"{kind}.jsonl")}}, "test_split": "test",
            "output_type": "generate_until", "doc_to_visual": "picture", "doc_to_text": "question", "doc_to_target": "answer",
            "generation_kwargs": {"max_new_tokens": 128, "temperature": 0},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True, "ignore_case": True,
                             "ignore_punctuation": True}],
            "metadata": {"version": 1}}, indent=1))
    (folder / "scenes.yaml").write_text(json.dumps({
        "group": "drawn_scenes", "task": [f"scenes_{kind}" for kind in kinds],
        "aggregate_metric_list": [{"metric": "exact_match", "aggregation": "mean", "weight_by_size": True}],
        "metadata": {"version": 1}}, indent=1))


@contextlib.contextmanager
def running(*command, **options):
    """A process that does not outlive what it is for."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def address_when_ready(server):
    line = server.stdout.readline()
    if not line.startswith("listening on "):
        fail("the server does not start")
    address = line.split()[-1]
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/readyz").close()
            return address
        except urllib.error.HTTPError:  # 503 until the model is loaded
            time.sleep(0.1)
    fail("the server ended before it was ready")


def run_harness(arguments, tasks, server):
    """Runs the harness and returns the lines of its tables. All its words go to a file, since most are not about scores."""
    address = address_when_ready(server)
    with urllib.request.urlopen(f"{address}/v1/models") as answer:
        model = json.load(answer)["data"][0]["id"]
    settings = {"model_version": f"{model}:chat", "base_url": f"{address}/v1", "api_key": "none", "timeout": 120, "num_concurrent": 2,
                "max_retries": 2}
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(arguments.out / "cache"), "CUDA_VISIBLE_DEVICES": ""}
    log = arguments.out / "harness.log"
    with open(log, "w") as output, running(
            python, "-m", "lmms_eval", "--model", "openai", "--model_args", ",".join(f"{k}={v}" for k, v in settings.items()),
            "--include_path", tasks, "--tasks", "drawn_scenes", "--batch_size", "1", "--log_samples",
            "--output_path", arguments.out / "results",
            cwd=arguments.out, env={**os.environ, **offline}, stdout=output, stderr=subprocess.STDOUT) as harness:
        while harness.poll() is None:
            if server.poll() is not None:  # the harness would try all other questions, each several times
                fail("the server ended while the harness asked")
            time.sleep(0.2)
    if harness.returncode:
        fail(f"the harness ended with {harness.returncode}; see {log}")
    tables = [line.rstrip() for line in open(log) if line.startswith("|")]
    if not tables:
        fail(f"the harness printed no table; see {log}")  # it ends with 0 after most errors of its own
    return tables


def judge(out, chosen):
    """Ends the script unless each question was answered and each kind has a score. Returns the scores."""
    files = list(out.glob("results/**/*_results.json"))
    if len(files) != 1:
        fail(f"the harness wrote {len(files)} files of results")
    results = json.load(open(files[0]))["results"]
    scores = {}
    for kind, questions in chosen.items():
        score = results.get(f"scenes_{kind}", {}).get("exact_match,none")
        if not isinstance(score, (int, float)) or not 0 <= score <= 1:
            fail(f"there is no score of {kind}: {score}")
        samples = [line for path in out.glob(f"results/**/*_samples_scenes_{kind}.jsonl") for line in open(path)]
        if len(samples) != len(questions):
            fail(f"{len(samples)} of {len(questions)} questions of {kind} were asked")
        if unanswered := sum(FAILED in line for line in samples):
            fail(f"{unanswered} requests of {kind} were not answered")
        scores[kind] = score
    return scores


def main():
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left behind
    if not shutil.which(arguments.program):
        fail(f"there is no program {arguments.program}")
    install()
    if arguments.install_only:
        return
    arguments.out = arguments.out.resolve()
    # Only what an earlier run wrote is removed, never a folder of something else.
    if arguments.out.exists() and any(arguments.out.iterdir()) and not (arguments.out / "harness.run").exists():
        fail(f"{arguments.out} holds something else")
    shutil.rmtree(arguments.out, ignore_errors=True)
    arguments.out.mkdir(parents=True)
    (arguments.out / "harness.run").touch()
    chosen = draw_questions(arguments)
    tasks = arguments.out / "tasks"
    write_tasks(tasks, [kind for kind in KINDS if kind in chosen], arguments.out)
    say(f"asking {sum(map(len, chosen.values()))} questions about {arguments.scenes} scenes")
    with running(arguments.program, "serve", "--model", arguments.model, "--port", str(arguments.port), "--quiet",
                 stdout=subprocess.PIPE, text=True) as server:
        tables = run_harness(arguments, tasks, server)
    scores = judge(arguments.out, chosen)
    print("\n".join(tables))
    print("\nkind        questions  exact match  always the commonest answer")
    for kind in (kind for kind in KINDS if kind in chosen):
        answers = collections.Counter(each["answer"] for each in chosen[kind])
        commonest = answers.most_common(1)[0][1] / answers.total()
        print(f"{kind:<10} {answers.total():>10} {scores[kind]:>12.2f} {commonest:>12.2f}")


if __name__ == "__main__":
    main()
