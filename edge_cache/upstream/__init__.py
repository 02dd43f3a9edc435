"""The HTTP/1.1 client of an edge: pooled connections, time-outs, fail-over."""
