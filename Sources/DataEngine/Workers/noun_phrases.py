"""Noun phrases by spaCy. Follows `worker.py`.

A request is a text. Its result holds all tokens as [start, end, lemma, part of speech, relation, head, sentence] and
the noun chunks as [first token, token after the last, root]. Positions are in Unicode scalars, heads are tokens.
"""


def load(settings):
    try:
        import spacy
    except Exception as problem:  # a broken installation raises more than ImportError
        raise Unusable(f"{sys.executable} has no usable spaCy ({type(problem).__name__}: {problem})")
    problems = []
    for name in settings["models"]:
        try:
            pipeline = spacy.load(name, exclude=["ner", "senter"])
            break
        except Exception as problem:
            problems.append(f"{name}: {str(problem).splitlines()[0]}" if str(problem) else name)
    else:
        raise Unusable(f"{sys.executable} has no spaCy model that can be loaded ({'; '.join(problems)})")
    if not pipeline.has_pipe("parser"):
        raise Unusable(f"the spaCy model {pipeline.meta.get('name')} has no parser, which noun phrases need")

    def parse(texts):
        with pipeline.memory_zone():  # words that were never seen before are forgotten after the batch
            for document in pipeline.pipe(texts, batch_size=len(texts)):
                yield describe(document)

    return parse


def describe(document):
    sentence = -1
    tokens = []
    for token in document:
        sentence += bool(token.is_sent_start) or sentence < 0
        tokens.append([
            token.idx, token.idx + len(token.text), token.lemma_, token.pos_, token.dep_, token.head.i, sentence,
        ])
    return {"tokens": tokens, "chunks": [[chunk.start, chunk.end, chunk.root.i] for chunk in document.noun_chunks]}


serve(load)
