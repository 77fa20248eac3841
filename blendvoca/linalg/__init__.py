"""Matrices: factorisations that know nothing of meshes."""
