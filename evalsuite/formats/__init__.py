"""How each task format becomes token ids, and how model outputs become predictions.

One file a format, with the same functions:

- `encode(tokenizer, examples, max_length) -> list[Encoded]`, the sequences to run, each with the
  index of its example (a long sentence may become several windows, a choice is one each);
- `decode(labels, examples, encoded, outputs) -> list[...]`, one prediction an example;
- `gold(examples) -> list[...]`, the right answers, one an example, to compare predictions with;
- `probabilities(examples, encoded, outputs, predictions, labels)`, where the model gives each of
  its predictions a probability: gold answers, and predicted ones with their probabilities.

`HEAD` names the format whose head its models have (a score is the logit of a classifier of one
output, so regression has the head of `pair`), and `ANSWERS` what the head gives per row: one label,
several, or a score. `READS` names the kind of answer that `gold` and the predictions are
(`evalsuite.metric.KINDS`), and `ALSO` the metrics that are scored next to a task's main one;
`TWO_TEXTS` says whether a row is read as two texts at once. A format does not score: any metric
that reads its kind of answer does (`evalsuite.scoring`).

Retrieval has no logits to decode: it encodes either side, and pools hidden states.

Files:
    _agreement.py: how predictions of two models are put side by side and compared, where nothing
        is special
    _by_head.py: what all formats share whose model has a head: its logits are decoded row by row
    choice.py: a context and answers to choose from: XCOPA and similar tasks
    mining.py: sentences of one corpus, and which sentence of another each translates, if any:
        BUCC 2018
    multilabel.py: any of several labels for one sentence, or for two
    pair.py: two sentences, one label: XNLI and similar tasks
    ranking.py: queries against one pool of candidates: LAReQA and Mewsli-X
    regression.py: a score for one sentence, or for two
    retrieval.py: a sentence and its translation among all others: Tatoeba
    span.py: a question answered by a span of its context: XQuAD, MLQA, TyDiQA-GoldP
    tagging.py: one tag a word: UD-POS, PAN-X
"""
