"""
The real world, translated.

One module knows one tool; nothing of talosctl, urllib3 or ``kubernetes`` passes through, neither types nor errors.
"""
