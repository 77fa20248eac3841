"""Weights and configurations as files."""
