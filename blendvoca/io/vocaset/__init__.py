"""VOCASET in every form that it is kept in."""
