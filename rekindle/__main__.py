"""``python -m rekindle``."""

from rekindle.cli.main import main

main()
