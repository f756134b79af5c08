"""Open a model and run it over rows: sequences, batches, sessions.

Files:
    answers.py: what a model with a head says about texts
    batch_runner.py: run encoded sequences through a predictor in batches of similar length
    batching.py: batches of similar length, filled by token count
    checkpoint_config.py: what `config.json` of a checkpoint or bundle says about the model
    encoded.py: one sequence to run, as a format encodes it
    finite_outputs.py: refuse outputs that are NaN or infinite, and find the layer where they begin
    label_order.py: labels are matched by their names
    open_model.py: open a checkpoint or a bundle in the runtime it is made for
    predict_lines.py: predict lines of text with any checkpoint or bundle
    predictor.py: what every open model can do, whatever runtime runs it
    probe_text.py: real sentences of every language a source has, encoded, for uses that need no
        labels
    session.py: a predictor with its tokenizer: examples in, predictions out
    softmax.py: probabilities of what a model predicts, from its logits
    task_head.py: the head that a task's models have, and whether a given model has it
    token_types.py: token types, which BERT reads of two texts
"""
