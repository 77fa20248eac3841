"""Sounds of English in the International Phonetic Alphabet, as espeak-ng writes them and neural voices read them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from blendvoca.errors import BlendvocaError, FormatError, nearest

STRESS = "ˈˌ"
#: espeak-ng's spelling of a sound in this alphabet, and its mnemonic that :mod:`...performance.visemes` knows.
MNEMONICS: dict[str, str] = dict(
    pair.split(":")
    for pair in """
    p:p b:b m:m f:f v:v θ:T ð:D t:t d:d n:n ɾ:t ʔ:? l:l s:s z:z ʃ:S ʒ:Z tʃ:tS dʒ:dZ k:k ɡ:g ŋ:N h:h ɹ:r w:w j:j x:x
    i:i ɪ:I ᵻ:I ɛ:E e:e æ:a a:a ɐ:@ ə:@ ɚ:@r ʌ:V ɑ:A ɒ:0 ɔ:O o:O ʊ:U u:u ɜ:3
    eɪ:eI aɪ:aI ɔɪ:OI oʊ:oU əʊ:@U aʊ:aU eə:e@ iə:i@ ɪə:i@ ʊə:U@ aɪə:aI@ aɪɚ:aI3 əl:@L ɑɹ:A@ ɔɹ:O@ oɹ:o@ ɛɹ:e@
    ɪɹ:i@ ʊɹ:U@ n̩:n- l̩:l- əɹ:@r
    """.split()  # noqa: SIM905  # a table of words
)


@dataclass(frozen=True)
class Sound:
    """One sound of a sentence.

    :param ipa: with marks of stress and length; a punctuation mark or a space where nothing is spoken.
    :param symbol: espeak-ng's mnemonic; ``_`` for a pause, empty for the space between words.
    """

    ipa: str
    symbol: str


def sounds(text: str, accent: str) -> list[Sound]:
    """Return the sounds of an English sentence, spaces and punctuation among them.

    :param accent: a voice of espeak-ng.
    :raises BlendvocaError: if espeak-ng fails.
    :raises FormatError: for a sound that is not English.
    """
    result: list[Sound] = []
    clauses = _clauses(text, accent)
    for place, clause in enumerate(clauses):
        for word in clause.split():
            result += [Sound(ipa, _mnemonic(ipa)) for ipa in word.split("_") if ipa.strip(STRESS)]
            result.append(Sound(" ", ""))
        last = place == len(clauses) - 1
        mark = text.strip()[-1:] if last and text.strip()[-1:] in ".?!" else "." if last else ","
        result[-1:] = [Sound(mark, "_"), *([] if last else [Sound(" ", "")])]
    return result


def _mnemonic(ipa: str) -> str:
    plain = ipa.strip(STRESS).replace("ː", "")
    if plain not in MNEMONICS:
        raise FormatError(f"unknown sound {plain!r}{nearest(plain, MNEMONICS)}", expected=sorted(MNEMONICS), found=ipa)
    return MNEMONICS[plain]


def _clauses(text: str, accent: str) -> list[str]:
    program = Path(__file__).with_name("espeak_program.py")
    request = json.dumps({"text": text, "voice": accent, "sounds": True}).encode()
    done = subprocess.run([sys.executable, "-I", str(program)], input=request, capture_output=True, check=False)
    answer = json.loads(done.stdout.partition(b"\n")[0] or b"{}") if done.returncode == 0 else {}
    if not answer.get("clauses"):
        words = answer.get("error") or done.stderr.decode(errors="replace").strip()[-300:]
        raise BlendvocaError("espeak-ng failed", found=words or "no sounds")
    return [str(clause) for clause in answer["clauses"]]
