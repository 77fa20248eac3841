"""What a transferred rig is judged by: figures, limits, the report."""
