"""Mesh sequences as files: frames in folders, archives and arrays."""
