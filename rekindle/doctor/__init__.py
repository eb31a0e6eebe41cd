"""
What a recovery will need, looked at before the night: tools, credentials, machine configurations, keys, disk.

Judgements are functions of what was gathered, so that tables test them. Nothing here writes, and nothing here lets a
secret's value into a row. ``packages`` is looked at first and imports no other room: it may be the wrong one.
"""
