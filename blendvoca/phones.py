"""Phones with their times, and what a lip-reader asks of them: closures, open vowels, pauses.

Three phone sets are known and recognised by their symbols: ARPAbet (``AA1``, ``SIL``; CMUdict, pocketsphinx), IPA
(``ɑ``, ``m``) and X-SAMPA/espeak (``A:``, ``@``). Only the classes below are needed, so other symbols of a known set
are simply neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from blendvoca.errors import InputError

_PAUSE_LABELS = "sil sp spn pau h# # _ <sil> <eps> [sil] silence ssil nsn <s> </s> +spn+ +nsn+"
#: Labels of pauses in any phone set, in lower case.
PAUSES = frozenset(["", *_PAUSE_LABELS.split()])
_SYMBOLS = (
    "AA AE AH AO AW AX AXR AY B CH D DH DX EH EL EM EN ER EY F G HH IH IX IY JH K L M N NG NX OW OY P Q R S SH T TH UH "
    "UW UX V W WH Y Z ZH"
)
_OPEN_SYMBOLS = "AA AE AH AO AY AW EH OW EY ER"
_ARPABET, _OPEN_ARPABET = frozenset(_SYMBOLS.split()), frozenset(_OPEN_SYMBOLS.split())
#: Open and mid vowels by their first letter, as IPA and X-SAMPA write them.
_OPEN_IPA, _OPEN_XSAMPA = frozenset("aɑɒɐæʌɔɛɜoəe"), frozenset("aAQ6{VOE3oe@&")
_BILABIAL = frozenset("pbm")
_IPA_ONLY = frozenset("ɑɒɐæʌɔɛɜəɪʊʃʒθðŋɹɾɡɨʉøœɕʑχʁɣβɸɱɲɳɖʈʂʐɭɻʝɰʔːˈˌ̩̃͡ʰʲ")


@dataclass(frozen=True)
class Phone:
    """One phone.

    :param label: its symbol, in the phone set of its file; empty for a pause.
    :param start: seconds.
    :param end: seconds.
    """

    label: str
    start: float
    end: float

    @property
    def is_pause(self) -> bool:
        """Whether nobody speaks."""
        return self.label.lower() in PAUSES


@dataclass(frozen=True)
class PhoneTrack:
    """The phones of one recording, in order.

    :param phones: with rising times; empty where nobody speaks.
    :param text: what is said, where it is known.
    :raises InputError: for times that run backwards or are none, or an unknown phone set.
    """

    phones: tuple[Phone, ...]
    text: str = ""

    def __post_init__(self) -> None:
        before = 0.0
        for phone in self.phones:
            if not 0 <= phone.start <= phone.end < 1e6 or phone.start < before - 1e-6:
                expected = f"a start of at least {before:g} s and an end after it"
                found = f"{phone.label!r} from {phone.start:g} to {phone.end:g} s"
                raise InputError("phone times do not rise", expected=expected, found=found)
            before = phone.end
        if any(not phone.is_pause for phone in self.phones):
            phone_set(phone.label for phone in self.phones if not phone.is_pause)

    @property
    def duration(self) -> float:
        """Seconds up to the end of the last phone."""
        return self.phones[-1].end if self.phones else 0.0

    def closures(self) -> list[Phone]:
        """Return the phones at which the lips must meet: p, b, m."""
        return [phone for phone in self.phones if not phone.is_pause and _core(phone.label).lower() in _BILABIAL]

    def open_vowels(self) -> list[Phone]:
        """Return the open and mid vowels, at which the mouth opens."""
        spoken = [phone for phone in self.phones if not phone.is_pause]
        if not spoken:
            return []
        kind = phone_set(phone.label for phone in spoken)
        if kind == "ARPAbet":
            return [phone for phone in spoken if _core(phone.label).upper() in _OPEN_ARPABET]
        letters = _OPEN_IPA if kind == "IPA" else _OPEN_XSAMPA
        return [phone for phone in spoken if _core(phone.label)[:1] in letters]

    def pauses(self, longer_than: float) -> list[Phone]:
        """Return the pauses longer than so many seconds."""
        return [phone for phone in self.phones if phone.is_pause and phone.end - phone.start > longer_than]


def phone_set(labels: Iterable[str]) -> str:
    """Return the phone set of labels: ``ARPAbet``, ``IPA`` or ``X-SAMPA``.

    :param labels: symbols without pauses.
    :raises InputError: naming symbols that are of none of them.
    """
    cores = {_core(label) for label in labels}
    if all(core.upper() in _ARPABET for core in cores) and any(len(core) > 1 or core.isupper() for core in cores):
        return "ARPAbet"
    if any(set(core) & _IPA_ONLY for core in cores):
        return "IPA"
    odd = sorted(core for core in cores if not re.fullmatch(r"[A-Za-z0-9@{}&:~^=?_\\|-]{1,5}", core))
    if odd:
        raise InputError("an unknown phone set", expected="ARPAbet, IPA or X-SAMPA", found=odd[:5])
    return "X-SAMPA"


def _core(label: str) -> str:
    """Return a label without stress marks, word positions (``AA_B``) and length."""
    return re.sub(r"(_[BIES]|[012]|[ˈˌ'\",])", "", label.strip()) or label.strip()
