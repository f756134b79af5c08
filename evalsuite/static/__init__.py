"""Static models: a vector per piece of a vocabulary, pooled; no layer, no attention.

Plain transformers has no class for them. These are known to it once `register()` has run, which
everything that opens a model calls; a checkpoint is a `config.json`, safetensors and a tokenizer as
any other, without code in it.

Files:
    kind.py: the model type, for code that must not import transformers
    config.py: the configuration
    register.py: makes the configuration known to transformers where one is read
    model.py: the encoder, and the model with a head for one label per row
    pooling.py: one mean per text of a row, and what a head reads of two of them
"""
