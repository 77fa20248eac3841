"""From phones to motion: visemes, coarticulation, takes."""
