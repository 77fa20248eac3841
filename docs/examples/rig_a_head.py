"""Give a head the blendshapes of a source rig; here both come with the package."""

from blendvoca.synthetic.head import SyntheticHead
from landmarks import load_source, rig_head, write_landmarks

mesh, points = SyntheticHead().head()
write_landmarks("head.json", points, mesh.n_vertices)

rigged = rig_head(mesh, points, load_source("synthetic"))
print(rigged.rig)
print(f"jawOpen arrives at {rigged.result.report.figures['jaw_ratio']:.2f} of its size")
for note in rigged.notes:
    print("note:", note)
