"""Triangle-mesh geometry on plain arrays: adjacency, boundary loops, components, closest points, alignment, distances.

Every function takes `vertices` (V,3) float64 and `faces` (F,3) integers; none knows a file or a rig.
"""

from blendvoca.geometry.adjacency import face_adjacency, undirected_edges, vertex_adjacency, vertex_face_matrix
from blendvoca.geometry.boundary import boundary_edges, boundary_loops
from blendvoca.geometry.closest import ClosestPoints, SurfaceIndex, closest_points
from blendvoca.geometry.components import face_components, vertex_components
from blendvoca.geometry.distance import SurfaceGraph, edge_lengths, geodesic_distances, ring_distances
from blendvoca.geometry.normals import face_areas, face_normals, vertex_areas, vertex_normals
from blendvoca.geometry.similarity import Similarity, fit_similarity
from blendvoca.geometry.surface import Surface

__all__ = [
    "ClosestPoints",
    "Similarity",
    "Surface",
    "SurfaceGraph",
    "SurfaceIndex",
    "boundary_edges",
    "boundary_loops",
    "closest_points",
    "edge_lengths",
    "face_adjacency",
    "face_areas",
    "face_components",
    "face_normals",
    "fit_similarity",
    "geodesic_distances",
    "ring_distances",
    "undirected_edges",
    "vertex_adjacency",
    "vertex_areas",
    "vertex_components",
    "vertex_face_matrix",
    "vertex_normals",
]
