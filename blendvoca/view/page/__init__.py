"""Self-contained pages of figures: documents, plots as inline SVG, pictures. Nothing is loaded from anywhere."""
