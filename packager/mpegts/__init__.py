"""MPEG transport stream segments, a whole segment at once.

elementary   samples -> byte stream: start codes for lengths, ADTS for AAC   (steps)
schedule     samples -> what the multiplex sends when: PES and clock packets (columns)
packets      schedule + bytes -> rows of 188 bytes
segment      the plan of a segment, in windows that are read and made one by one
"""
