"""Training: the loop, the windows it draws, and one module a model that is trained."""
