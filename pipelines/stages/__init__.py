"""The stages, one a file: each reads, makes one library call, and writes. None imports another."""
