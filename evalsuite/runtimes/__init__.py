"""Runtimes that run models: one file per runtime, found by its name.

A runtime's file holds `opens(directory)`, `open_model(directory, threads)`, `modules(directory)`
(what opening imports) and, for the machine's peak, `PRODUCTS` and `MULTIPLY`. A file of the same
name in `compress/export/runtimes/` makes its bundles.

Files:
    cascade.py: bundles of several models, of which the first answers what it is sure of
    executorch.py: bundles for ExecuTorch, XNNPACK's kernels; torch carries arrays in and out
    numpy.py: bundles of static models, with numpy alone
    onnxruntime.py: bundles for ONNX Runtime, without torch
    openvino.py: bundles for OpenVINO, without torch
    torch.py: checkpoints, with plain transformers
    _bundle.py: what all bundles share: card, outputs, many batches in order
    _concurrent.py: several batches at the same time, results in order
    _executorch.py: imports ExecuTorch's runtime without its exporter
    _extras.py: whether the packages of an extra are installed
    _openvino.py: imports the openvino package so that it reports nothing
    _products.py: types of the programs that measure the machine's peak
"""
