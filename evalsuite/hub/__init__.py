"""The Hugging Face hub: why a request failed, whether what came is whole, and what goes up.

Files:
    intact.py: files that were downloaded are held against the digests the hub names them by
    push.py: put a model on the hub: what goes up, its card, and one commit
    refusals.py: what a failed request to the hub means, in one message
"""
