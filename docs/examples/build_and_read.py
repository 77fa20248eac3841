"""Write the embedded sample, build the dataset of it, and read a clip."""

from pathlib import Path

from blendvoca import BlendVOCA
from blendvoca.synthetic.corpus import SampleConfig, write_sample
from pipelines.build import build
from pipelines.config import BuildConfig

write_sample("corpus", SampleConfig(speakers=2, sentences=1, max_frames=30))
result = build(BuildConfig(Path("corpus")), Path("BlendVOCA"), jobs=0)
assert not result.failures

dataset = BlendVOCA("BlendVOCA")
clip = dataset[0]
print(clip)
print(dataset.rig(clip.speaker))
print(f"fit error {clip.certificate.error_mean_mm:.3f} mm")
