"""The delivery contract: URLs that players of a Kaltura-style installation ask, and what they
are answered.  Pure: text and plain values in, values out.

    play_manifest   a request's path and query → PlayManifest
    serve_flavor    the URL of a stored file, both ways;  urlset  several of them as one
    formats         what each format is answered with
    admission       whether an entry may be played now
    selection       which flavors a request gets, in which order
    replies         what is written of them: redirects and JSON
    refusals        the numbered errors

``docs/delivery-contract.md`` says what is there and what is not.
"""
