"""Trainings: one module a model that is trained."""
