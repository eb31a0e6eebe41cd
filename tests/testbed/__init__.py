"""
A cluster to test against: a real control plane and real Flux on nodes that only pretend.

`build` compiles the programs once, `testbed` starts and stops them.
"""
