"""Runs Heed's programs on the machines of a Ray cluster: a gateway, and a worker on each machine."""
