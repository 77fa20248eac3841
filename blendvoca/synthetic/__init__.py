"""The embedded sample: a parametric talking head whose true shapes and coefficients are known.

======================================== ===========================================================================
:mod:`.sdf` :mod:`.sculpture`            the average head as one soft solid
:mod:`.chart` :mod:`.openings`           two coordinates on its surface, and elliptic ones around mouth and eyes
:mod:`.sampling` :mod:`.markers`         how densely it is sampled; landmarks
:mod:`.anchors` :mod:`.fill`             vertices: fixed ones, and free ones between them
:mod:`.layout` :mod:`.ears`              triangles; the ears, which stand off the surface
:mod:`.sites` :mod:`.surface`            the vertices as places on the head; eye sockets, eyeballs
:mod:`.inner_lips` :mod:`.teeth`         the mouth's inside; teeth and tongue
:mod:`.nostrils`                         pits pushed into the nose
:mod:`.shapes`                           the 51 ARKit shapes: displacement as a function of the place
:mod:`.identity`                         what makes a speaker
:mod:`.head`                             the door to all of this: meshes, landmarks, rigs
:mod:`.speech` :mod:`.espeak`            a machine voice and the time of its phonemes
:mod:`.visemes` :mod:`.coarticulation`   phonemes to coefficient tracks
:mod:`.speakers` :mod:`.motion`          a face, a voice and a manner each; what a scanner would have seen
:mod:`.corpus`                           the sample in VOCASET's folder form
======================================== ===========================================================================

Lengths are millimetres in the files that model the head and metres in :mod:`.head`, :mod:`.motion` and :mod:`.corpus`.
"""
