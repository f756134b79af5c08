"""Where the files of a bundle lie, for programs that look for them under certain names.

Files:
    transformers_js.py: `onnx/model_quantized.onnx` in one file, for transformers.js
"""
