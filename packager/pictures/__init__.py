"""Pictures of a film, as JPEG: which samples they are decoded from, and how they are made.

keys.py     a time → the key frame beside it, or the frame shown then     (pure, no decoder)
jobs.py     what a decoder is asked for, and its form on a pipe
drawing.py  samples → JPEG, by PyAV; never in a process that serves
"""
