"""Export a checkpoint to a bundle: a directory that a runtime opens and runs as it is.

Files:
    export.py: the pass: make the bundle, compare its labels with the checkpoint's, seal it
    registry.py: finds the exporters, one per runtime, and the layouts
    exporter.py: what an exporter provides; a precision and its rules
    runtimes/: the exporters: precisions, tracing, quantizing, the README's example
    layouts/: where the files of a bundle lie, for programs that look for certain names
    graph.py: the steps that make a graph
    trace.py: traces a checkpoint to a graph in fp32
    demo/: a page that runs a bundle in a browser
    fewer_tokens.py: lets layers leave out the least attended tokens
    kept_tokens.py: which tokens may be left out; called by `check` and by the pass
    layer_steps.py: the steps of one layer, for both
    first_token.py: lets the last layer compute the first token alone, for heads that read only it
    quantize.py: quantizes a traced graph
    sensitivity.py: the parts of a model, and which of them to leave in fp32
    calibration_text.py: text that scales of activations are measured on
    embedding_storage.py: word embeddings of an ONNX graph in int8, int4 or factors
    low_rank.py: factors of a low rank, and how often each piece occurs
    bundle.py: the card of a bundle, and the digests of its files
    bundle_readme.py: the README of a bundle
    example_script.py: the script in that README that runs a graph
"""
