"""Commands that train, and that prepare trainings."""
