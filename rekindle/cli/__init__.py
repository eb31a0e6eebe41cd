"""The commands, one file each; main.py is their lazy table."""
