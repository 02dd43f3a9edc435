"""Several workers, one cache: each key has an owner among them, and the others ask it.

    asker   client.py   the owner is asked as if it were an upstream, over a Unix socket
    owner   server.py   answers from its tiers, or from the one fill of the node
    both    told.py     what goes between them beside the response

Nothing but an owner's listener makes a request internal: no field of a client's can.
"""
