"""Coefficient tracks as files, reading and writing side by side."""
