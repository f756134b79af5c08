"""Multilingual sentence encoders to learn from, one file each.

Files:
    use.py: universal Sentence Encoder, multilingual, as a small numpy program of sixteen
        languages
"""
