"""Coefficients for speech: whole clips, edits and streams."""
