"""A manifest hook: French sound is first and the default, and DASH gets 720 lines at most.

    pip install ./examples/manifest_hook
    headrace origin --manifest-hook french-first

The function sees what a manifest is about to list and returns what it is to list.  It may
leave renditions out, order them, and set their labels, languages and defaults.  Its answer is
kept with the manifest, so it must depend on its arguments alone.
"""

from dataclasses import replace

from origin.filters.hook import ManifestRequest
from packager.presentation import Presentation

TALLEST = 720
LABELS = {"fr": "Français", "en": "English"}


def edit(presentation: Presentation, request: ManifestRequest) -> Presentation:
    audio = sorted(presentation.audio, key=lambda one: one.language != "fr")
    audio = [
        replace(
            one,
            label=one.label or LABELS.get(one.language or ""),
            default=number == 0,
        )
        for number, one in enumerate(audio)
    ]
    video = presentation.video
    if request.protocol == "dash":
        low = tuple(one for one in video if one.height <= TALLEST)
        video = low or video  # rather too many lines than no picture
    return replace(presentation, video=video, audio=tuple(audio))
