"""Metrics: NumPy in, a typed result out, one definition a file with its source."""
