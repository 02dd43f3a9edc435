"""The formats that captions are stored in, by name."""

from enum import StrEnum


class CaptionFormat(StrEnum):
    WEBVTT = "webvtt"
    SRT = "srt"
