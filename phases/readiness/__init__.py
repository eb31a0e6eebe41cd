"""
Object → verdict, one file per family.

Each rule is a pure function of one object as the API shows it; its source is named where it is not obvious.
"""
