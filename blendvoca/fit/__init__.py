"""Per-frame coefficients of a mesh sequence by the quadratic programme: settings, fit, distances left over."""
