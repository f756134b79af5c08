"""Open a checkpoint: without running its code, and with every tensor accounted for.

All models, configs and adapters of transformers and peft are opened here. What opens is what the
directory holds: nothing is made up, nothing is asked, and no code of a checkpoint runs.

Files:
    accounting.py: the tensors that a checkpoint lacks, has too many of, or has in another shape
    adapter.py: an adapter of peft on a model, with every tensor of it in its place
    finite.py: refuse weights that are NaN or infinite
    hub.py: models of the hub, by id
    parsed.py: tokenizers that were parsed in this process, copied
    plausible.py: refuse a config that describes a model far larger than its weights
    pretrained.py: a model of transformers from a local directory or from a config
    tokenizer.py: the tokenizer of a local checkpoint: its tokenizer.json, or as transformers reads
        it
    validated.py: JSON files of a model, read through a pydantic model of what they hold
    vocabulary.py: hold a tokenizer against the embeddings of its model
    weight_files.py: names and shapes of the tensors in a checkpoint's files, read without loading
        them
"""
