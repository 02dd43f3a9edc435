"""Whether another packager and ours answer the same requests with the same video.

logs       lines of an access log → targets
asking     a target → what is asked of each side; the answers
contents   a body → its kind, and what of it is compared
playlists, mpds     manifests → what they mean
frames     segments → access units and their times
comparing  two of a kind → differences, each with its reason
program    the command
"""
