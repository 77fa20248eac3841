"""Files: bytes to types and back, nothing else."""
