"""Tracks and rigs for other programs, and tracks from them."""
