"""Train for a precision, and hold embeddings in few bits.

Files:
    fp32_attention.py: attention in fp32 while a processor computes everything else in bf16
    quantized_embedding.py: word embeddings held small while a model runs; only the rows looked up
        are brought back
    row_codes.py: tables of word embeddings in 8 or 4 bits, a scale a row
    train_rounded.py: train what will be quantized: weights and activations are rounded while a
        model learns, its parameters stay as they are
"""
