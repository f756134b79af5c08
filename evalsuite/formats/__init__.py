"""How each task format becomes token ids, and how model outputs become predictions.

One file a format, with the same functions:

- `encode(tokenizer, examples, max_length) -> list[Encoded]`, the sequences to run, each with the
  index of its example (a long sentence may become several windows, a choice is one each);
- `decode(labels, examples, encoded, outputs) -> list[...]`, one prediction an example;
- `score(task, language, examples, predictions) -> dict[str, float]`, metrics in percent;
- `parts(task, language, examples, predictions) -> np.ndarray`, `[rows, 2]`, what each row adds to
  the main metric above and below the line (`evalsuite.metrics.bootstrap`);
- `calibration(examples, encoded, outputs, predictions) -> float`, where the model gives each of its
  predictions a probability: how far these are from how often it is right.

Retrieval has no logits to decode: it encodes either side, and pools hidden states.
"""
