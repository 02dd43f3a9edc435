"""What every server process of ours is made of: a parent that forks, workers, counters, log.

``parent.run`` holds the listening sockets and N workers that inherit them; ``worker.Worker`` is
what a program's main function gets; ``counters`` are shared by the workers; ``access_log``
writes lines without waiting; ``admin`` answers health, readiness and metrics.  Nothing here
knows what is served.
"""
