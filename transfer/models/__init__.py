"""Checkpoints, adapters and heads: loading, saving, carrying over.

Files:
    adapters.py: adapters and prompts as they were trained: on their base, in its precision
    cards.py: model cards: what a checkpoint is and how plain transformers or peft opens it
    checkpoints.py: open checkpoints for training, with the head a task needs; write what a stage
        publishes
    continue_adapter.py: train an adapter after another one: an intermediate task's, then the
        target task's
    first_score.py: a new head for scores learns them in units of their spread, from their
        mean on
    head_alone.py: the head of a model without its encoder, as transformers' class of the family
        computes it
    heads.py: a model, and the heads that are trained with its own: of several tasks, of masked
        LM
    label_rows.py: the rows of a head's last layer: put in another order, or made new
    sentence_files.py: the files by which sentence-transformers opens an encoder: copied, or
        written where it has none
    to_xlmr.py: carry an English encoder of the BERT family into the XLM-R architecture
    write_tokenizer.py: a tokenizer that is not a copy of a file
"""
