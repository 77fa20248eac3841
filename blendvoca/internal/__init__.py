"""What the package's modules share and no user calls: checked names, limits, lazy imports, progress."""
