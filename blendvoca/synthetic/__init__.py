"""The embedded sample: a parametric talking head whose true shapes and coefficients are known.

======================== ===========================================================================================
:mod:`.anatomy`          the canonical head: ``sdf`` and ``sculpture`` (one soft solid), ``chart`` and ``openings``
                         (coordinates on it), ``sampling``, ``anchors``, ``fill``, ``layout``, ``ears`` (vertices and
                         triangles), ``sites`` and ``surface`` (vertices as places, eyes), ``inner_lips``, ``teeth``,
                         ``nostrils``, ``markers`` (landmarks), ``shapes`` (displacement as a function of the place)
:mod:`.identity`         what makes a speaker
:mod:`.head`             the entry point to all of this: meshes, landmarks, rigs
:mod:`.voice`            machine voices, people's recordings, sound without speech, and the time of phones
:mod:`.performance`      phones to coefficient tracks: visemes, coarticulation, articulation of a take, motion of frames
:mod:`.spread`           how far takes of one sentence differ
:mod:`.speakers`         a face, a voice and a manner each
:mod:`.corpus`           the sample in VOCASET's folder form
:mod:`.voices`           a corpus of many voices, as shards
======================== ===========================================================================================

Lengths are millimetres in :mod:`.anatomy` and metres elsewhere.
"""
