"""The canonical head of the sample: solid, surface, openings, shapes. Lengths are millimetres."""
