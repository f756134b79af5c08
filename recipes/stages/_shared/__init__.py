"""What several stages use: the contract of a stage, shared keys, shared checks.

Files:
    contract.py: what a stage file holds, and the base class of all configs
    registry.py: finds the stage files
    training_keys.py: keys of all stages that train, and checks of their inputs
    train_options.py: keys of `train` for mixing, batching, dev scores and robustness
    vector_keys.py: keys of sentence vectors, of `train` and of `distill`
    student_keys.py: keys of `distill` that say what the student is
    elastic_keys.py: keys of elastic students, and what `check` knows of their sizes
    plain_text_keys.py: keys of stages that read multilingual text without labels
    distilled_text_keys.py: keys of `distill` that say which multilingual text is read
    unused_keys.py: refuses keys that are written where they change nothing
    method_keys.py: keys of `train` that choose a training method, and its options
    sequential_keys.py: what the key `sequential` of `train` needs of the adapter before it
    heads.py: what `check` knows of the head of a model from outside
    planned_model.py: what plan knows of a model before it exists, and what training it holds
    planned_text.py: what plan knows of the text that a stage reads
    planned_work.py: what stages compute, for plan's prediction of time and disk
    distilling_work.py: the same of a distillation, for `distill` and `prune`
    families.py: what `check` knows of the family of a model
    resources.py: what a stage takes of a node of a cluster
    score_gate.py: keys of stages that may lose some zero-shot score, and the check
    labelled_rows.py: whether the rows that a stage scores have labels, as `check` knows it
    precision_keys.py: keys of `export` for precisions, and the check that they fit
    token_keys.py: the key of `export` for graphs that go on with some tokens
    student_start.py: a checkpoint that a student starts from, and its teacher
    student_gate.py: keys that compare a distilled student with its teacher, and the check
    adapter_task.py: key that names the task of an adapter which does not name it
    lineage.py: what a bundle says of the stages that it was made by
    open_input.py: opens a checkpoint, bundle, adapter or prompt for inference
    read_measurements.py: reads what measuring stages wrote
"""
