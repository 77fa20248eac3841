"""The version of this toolkit."""

__version__ = "0.2.0"
