"""What a package says of itself; light to import, since the command line shows its defaults."""

from __future__ import annotations

import re
from dataclasses import dataclass

from blendvoca.errors import ConfigurationError
from blendvoca.shard.schema import LicenceClass

#: Licence and its text where the publisher names none.
LICENCES = {
    LicenceClass.OPEN: ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
    LicenceClass.COEFFICIENTS: (
        "Derived from VOCASET: non-commercial research",
        "https://voca.is.tue.mpg.de/license.html",
    ),
}


@dataclass(frozen=True)
class PackageConfig:
    """What a package says of itself.

    :param name: title.
    :param version: of the data, ``major.minor.patch``.
    :param description: a sentence or two.
    :param url: where it is, or is described.
    :param creator: who made it.
    :param licence: name of the licence of what is in it; by its licence class where it is not given.
    :param licence_url: its text; likewise.
    :param citation: whom to cite.
    :param date: day of publication (``YYYY-MM-DD``); left out where not given, so that same shards give same bytes.
    """

    name: str = "BlendVOCA"
    version: str = "1.0.0"
    description: str = "Speech paired with coefficients of ARKit blendshapes, for speech-driven facial animation."
    url: str = "https://arxiv.org/abs/2401.08655"
    creator: str = "The maker of this package"
    licence: str = ""
    licence_url: str = ""
    citation: str = (
        "Inkyu Park and Jaewoong Cho. SAiD: Speech-driven Blendshape Facial Animation with Diffusion. "
        "arXiv:2401.08655, 2023."
    )
    date: str | None = None

    def __post_init__(self) -> None:
        if self.date is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", self.date):
            raise ConfigurationError("no date", expected="YYYY-MM-DD", found=repr(self.date))
        if not re.fullmatch(r"\d+\.\d+\.\d+", self.version):
            raise ConfigurationError("no version of the data", expected="major.minor.patch", found=repr(self.version))
        if not re.search("[A-Za-z0-9]", self.name):
            raise ConfigurationError("no name of the data", expected="letters or digits in it", found=repr(self.name))
