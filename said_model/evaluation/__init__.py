"""Evaluation of coefficient tracks: metrics, the models that measure, baselines, pages."""
