"""Mouth and eyes: which side of an opening a vertex lies on."""
