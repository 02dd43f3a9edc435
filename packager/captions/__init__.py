"""Captions: parsers of their formats to one neutral list of cues, and writers from it.

webvtt, srt   bytes → Captions        (formats.parse picks one)
Captions      cues in whole milliseconds, with the STYLE and REGION blocks of WebVTT
segment       Captions + where a segment lies → the cues that it shows, as WebVTT
"""
