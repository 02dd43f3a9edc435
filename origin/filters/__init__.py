"""What of a presentation its manifests list.

    picks       selectors of a manifest's name: master-f1-f3-a1-len.m3u8
    rules       the grammar of filters, as in ?aws.manifestfilter= and /filter/…/
    applying    both, applied to a Presentation
    wanted      all that a URL says of it, and its place in the URL
    sets        rules that have a name in the metadata
    hook        the operator's own function, last before a manifest is written

A filter only leaves renditions out.  Media playlists and segments are named the same with and
without it, so that all manifests share them in every cache.
"""
