"""Facial landmarks: the 68-point scheme, its files, checks, transfer between meshes, picking, and source rigs."""
