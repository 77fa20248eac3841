"""Pickles of plain data, read without running anything."""
