"""Shards: one HDF5 file a speaker, the manifest beside them, and the check of both. Written down in ``docs/format.md``.

``schema`` names everything once, ``writer`` and ``reader`` turn types into files and back, ``manifest`` describes a
folder of shards, ``verify`` says what is wrong with either.
"""
