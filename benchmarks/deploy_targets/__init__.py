"""Programs that run one bundle each, for `benchmarks/deploy_agreement.py`: one file a target.

A file declares `TITLE`, `HEADS` (the heads it can run), `FORM` (which form of the model it opens:
`checkpoint`, `onnxruntime`, `openvino`, `executorch` or `transformers.js`) and `command(settings)`,
the program to start, or None where what it needs is not here. The program reads a task in JSON from
standard input and writes what `child.py` describes.

Files:
    child.py: what a program reads and writes; needs no package
    chromium.py: transformers.js in a headless Chromium
    executorch.py: this toolkit on a bundle for ExecuTorch
    native.py: the C++ program of docs/native
    node.py: transformers.js in node
    onnxruntime.py: this toolkit on a bundle for ONNX Runtime, which the others are compared with
    openvino.py: this toolkit on a bundle for OpenVINO
    optimum.py: optimum's ORTModel classes
    sentence_transformers.py: SentenceTransformer on the checkpoint
    sentence_transformers_onnx.py: SentenceTransformer, backend onnx
    sentence_transformers_openvino.py: SentenceTransformer, backend openvino
    serve.py: `lingopress serve`, one request per row
    torch.py: this toolkit on the checkpoint
"""
