"""Phone sets of speech engines, translated to the mnemonics of espeak-ng that :mod:`..visemes` knows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from blendvoca.errors import FormatError, nearest

_PAUSES = dict.fromkeys(("pau", "#", "_", "sil", "ssil", "h#", "brth"), "_")


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


#: ARPAbet in lower case, with the reduced vowels of the CMU voices.
_ARPABET = _PAUSES | _pairs("""
    aa A  ae a  ah V  ao O  aw aU  ax @  axr @r  ay aI  eh E  er 3  ey eI  ih I  ix I  iy i  ow oU  oy OI  uh U  uw u
    b b  ch tS  d d  dh D  dx t  el l  em m  en n  f f  g g  hh h  hv h  jh dZ  k k  l l  m m  n n  nx n  ng N  p p
    r r  s s  sh S  t t  th T  v v  w w  y j  z z  zh Z""")  # fmt: skip
ARPABET: Mapping[str, str] = MappingProxyType(_ARPABET)

#: Festival's Italian, Finnish, Czech, Catalan and Russian sets together: SAMPA with few exceptions. Marks of stress
#: and length are taken off before.
EUROPEAN: Mapping[str, str] = MappingProxyType(_ARPABET | _pairs("""
    a a  e E  E E  i i  o O  O O  u u  y u  @ @  ax @  ae a  oe 3  ao O
    tS tS  dZ dZ  ts ts  dz dz  S S  Z Z  J n  JJ n  L l  LL l  N N  T T  D D  G g  B v  X x  x x  c ts  q k  j j
    rr r  ng N  ch x  g g  ~r r  d~ d  t~ t  n~ n  c~ tS  s~ S  z~ Z  r~ Z  dz~ dZ
    w w  uj u  h h  y: u  2 3"""))  # fmt: skip


def translate(phone: str, phones: Mapping[str, str]) -> str:
    """Return espeak-ng's mnemonic of an engine's phone.

    A mark of stress (``a1``) or length (``a:``) is passed over, and so is a doubled letter (Russian soft consonants).

    :raises FormatError: for a phone that the set lacks.
    """
    plain = phone.rstrip("0123456789:'*~")
    for name in (phone, plain, plain.lower(), plain[:1] if plain == plain[:1] * 2 else plain):
        if name in phones:
            return phones[name]
    raise FormatError(f"unknown phone {phone!r}{nearest(phone, phones)}", expected=sorted(set(phones)), found=phone)
