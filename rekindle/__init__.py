"""The program: where the engine meets the world and the operator."""

__version__ = "0.1.0"
