"""Where frames go: ``livelink://HOST:PORT``, ``osc://HOST:PORT``, ``ws://HOST:PORT``, or a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from blendvoca.errors import ConfigurationError, nearest

#: Scheme to the port that its receivers have by default: Unreal's Live Link Face source, VMC's performer, ours.
PORTS = {"livelink": 11111, "osc": 39539, "ws": 8765}
#: What may stand behind the question mark.
_SETTINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "livelink": {"subject": ()},
    "osc": {"names": ("arkit", "vrm")},
    "ws": {},
}
_FORM = "livelink://HOST:PORT, osc://HOST:PORT, ws://HOST:PORT, a name that ends in .csv, or - for standard output"


@dataclass(frozen=True)
class Address:
    """Where frames go.

    :param scheme: one of :data:`PORTS`, or ``csv``.
    :param host: name or number of the machine; the path of a file, ``-`` for standard output.
    :param port: 1 to 65535; 0 of a file.
    :param settings: what stood behind the question mark.
    """

    scheme: str
    host: str
    port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> Address:
        """Read an address as users write it.

        :raises ConfigurationError: for any other form, naming what is wrong.
        """
        if "://" not in text:
            if text != "-" and not text.lower().endswith(".csv"):
                raise ConfigurationError(f"frames go nowhere by the name {text!r}", expected=_FORM)
            return cls("csv", text)
        scheme = text.partition("://")[0].lower()
        if scheme not in PORTS:
            raise ConfigurationError(f"unknown kind of receiver {scheme!r}{nearest(scheme, PORTS)}", expected=_FORM)
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigurationError("wrong port", expected="1 to 65535", found=text) from error
        if not host or port == 0:
            raise ConfigurationError("no host or port", expected=f"{scheme}://HOST:PORT", found=text)
        if parts.path.strip("/") or parts.fragment or parts.username:
            raise ConfigurationError("more than host and port", expected=f"{scheme}://HOST:PORT", found=text)
        return cls(scheme, host, port or PORTS[scheme], _settings(scheme, parts.query))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.scheme == "csv" else f"{self.scheme}://{host}:{self.port}"


def _settings(scheme: str, query: str) -> dict[str, str]:
    known, found = _SETTINGS[scheme], dict(parse_qsl(query, keep_blank_values=True))
    for name, value in found.items():
        if name not in known:
            raise ConfigurationError(f"{scheme} has no setting {name!r}{nearest(name, known)}",
                                     expected=", ".join(known) or "none")  # fmt: skip
        if (known[name] and value not in known[name]) or not value:
            raise ConfigurationError(f"wrong {name} {value!r}", expected=" or ".join(known[name]) or "a name")
    return found
