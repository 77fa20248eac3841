"""Shards in and out: the authors' release becomes shards (``importer``), the user's own VOCASET files join
them (``complete``), and what may be given away becomes a package (``publish``, ``croissant``, ``card``) or a table
(``tables``, ``hub``).
"""
