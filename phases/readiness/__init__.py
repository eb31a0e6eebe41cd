"""
Object → verdict, one file per family; ``verdict`` asks the right one.

Each rule is a pure function of one object as the API shows it; its source is named where it is not obvious. How a
verdict is said, and what its detail means, stands in ``saying``.
"""
