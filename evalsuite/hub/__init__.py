"""The Hugging Face hub: why a request failed, and whether what came is whole.

Files:
    intact.py: files that were downloaded are held against the digests the hub names them by
    refusals.py: what a failed request to the hub means, in one message
"""
