"""How a bundle is made for each runtime: one file per runtime, named as in `evalsuite.runtimes`.

Each file holds an `EXPORTER` (`compress.export.exporter`). To add a runtime, add a file here and
the file in `evalsuite/runtimes/` that opens and runs its bundles.

Files:
    executorch.py: one program for XNNPACK, fp32 or dynamic int8
    numpy.py: arrays of static models, rows in int8 or int4
    onnxruntime.py: ONNX graphs; dynamic int8, blocks of int8 or int4 weights, NNCF's static int8
    openvino.py: OpenVINO graphs; bf16, and what NNCF quantizes
    torch.py: checkpoints in bf16, int8 or nf4, which plain transformers opens
    _nncf.py: NNCF's quantization, which two runtimes use
"""
