"""Where the files of a bundle lie, for programs that look for them under certain names.

Files:
    openvino_model_server.py: `1/openvino_model.xml` and `model_server.json`, for that server
    text_embeddings_inference.py: `onnx/model.onnx` and the files that server reads next to it
    transformers_js.py: `onnx/model_quantized.onnx` in one file, for transformers.js
    triton.py: `1/model.onnx` and `config.pbtxt`, for Triton Inference Server
    _graph_file.py: a graph of ONNX with its weights in one file
    _infer_request.py: a request in the form of KServe's second protocol
    _json_files.py: JSON files of a bundle that a layout adds to
"""
