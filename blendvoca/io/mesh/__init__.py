"""Mesh files: PLY, OBJ and what other packages read."""
