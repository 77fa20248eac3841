"""Make the package of the embedded sample that comes with the wheel: ``python docs/make_sample_package.py``.

Three speakers, one of each split, with two sentences each; `blendvoca download sample` writes it out.
"""

import shutil
import tempfile
from pathlib import Path

from blendvoca.release.config import PackageConfig
from blendvoca.release.publish import publish
from blendvoca.synthetic.config import SampleConfig
from blendvoca.synthetic.corpus import write_sample
from pipelines.build import build
from pipelines.config import BuildConfig

PACKAGE = Path(__file__).resolve().parent.parent / "blendvoca" / "release" / "sample"
CONFIG = PackageConfig(name="BlendVOCA sample", creator="The BlendVOCA authors", date="2026-11-27")

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        corpus, shards, package = (Path(folder) / name for name in ("corpus", "shards", "package"))
        write_sample(corpus, SampleConfig(speakers=3, sentences=2))
        build(BuildConfig(corpus), shards)
        publish(shards, package, CONFIG)
        shutil.rmtree(PACKAGE, ignore_errors=True)
        shutil.copytree(package, PACKAGE)
    print(f"{PACKAGE}: {sum(path.stat().st_size for path in PACKAGE.iterdir()) / 1e6:.1f} MB")
