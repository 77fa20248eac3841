"""The proof that travels with a fitted track."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace

from blendvoca.errors import IntegrityError

#: Bounds and rate limits hold to this (absolute, in coefficients).
FEASIBILITY_TOLERANCE = 1e-9
#: Relative duality gap that a fit must reach.
GAP_TOLERANCE = 1e-9
#: Residuals and gaps below this are rounding, and differ from one processor to the next: they are stated as this.
STATED_AT_LEAST = 1e-10
#: Significant digits, and steps in mm, in which a certificate is stated.
STATED_DIGITS, STATED_MM = 6, 1e-3


@dataclass(frozen=True)
class FitCertificate:
    """How well a track fits its frames, and how exactly the QP was solved.

    :param status: ``"optimal"``, or what the solver said instead.
    :param solver: name of the solver.
    :param iterations: its iterations.
    :param rate_limit: δ, largest admitted step of a coefficient between frames.
    :param objective: Σ ‖p − (b₀ + B u)‖² over all frames, in m² (paper Eq. 2).
    :param primal_residual: largest violation of a bound or rate limit (coefficients).
    :param dual_residual: largest violation of stationarity, relative to the gradient's scale.
    :param duality_gap: relative duality gap.
    :param error_mean_mm: mean distance between fitted and given vertices, in mm.
    :param error_p95_mm: 95th percentile of that distance, in mm.
    :param error_max_mm: its maximum, in mm.
    :param lips_mean_mm: its mean over the lips, in mm (NaN where the lips are not known).
    :param lips_p95_mm: its 95th percentile over the lips, in mm (NaN likewise).
    :param lips_max_mm: its maximum over the lips, in mm (NaN likewise).
    :param rate_limit_share: share of frame transitions in which a coefficient moves at the limit.
    :param regularised: whether a singular basis needed regularisation for a unique answer.
    """

    status: str
    solver: str
    iterations: int
    rate_limit: float
    objective: float
    primal_residual: float
    dual_residual: float
    duality_gap: float
    error_mean_mm: float
    error_p95_mm: float
    error_max_mm: float
    lips_mean_mm: float
    lips_p95_mm: float
    lips_max_mm: float
    rate_limit_share: float
    regularised: bool = False

    def problems(self) -> list[str]:
        """Return what keeps this certificate from being good, one clause each; empty when it is good."""
        found = []
        if self.status != "optimal":
            found.append(f"status is {self.status!r}")
        if not self.primal_residual <= FEASIBILITY_TOLERANCE:
            found.append(f"primal residual {self.primal_residual:.2g} over {FEASIBILITY_TOLERANCE:g}")
        if not self.duality_gap <= GAP_TOLERANCE:
            found.append(f"relative duality gap {self.duality_gap:.2g} over {GAP_TOLERANCE:g}")
        return found

    def stated(self) -> FitCertificate:
        """Return the certificate as shards state it: figures rounded far above what kernels of processors differ by."""
        figures: dict[str, float] = {
            name: max(float(f"{getattr(self, name):.2e}"), STATED_AT_LEAST)
            for name in ("primal_residual", "dual_residual", "duality_gap")
        }
        figures["objective"] = float(f"{self.objective:.{STATED_DIGITS - 1}e}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_mm") and math.isfinite(value):
                figures[field.name] = round(round(value / STATED_MM) * STATED_MM, 9)
        return replace(self, **figures)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, object]:
        """Return plain values by field name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> FitCertificate:
        """Make a certificate of plain values; unknown names are left aside for newer minor versions.

        :param values: what :meth:`to_dict` returned.
        :raises IntegrityError: if a field is missing.
        """
        known = {field.name: field for field in fields(cls)}
        missing = [name for name in known if name not in values and name != "regularised"]
        if missing:
            raise IntegrityError("a fit certificate is incomplete", expected=list(known), found=f"no {missing}")
        convert = {"str": str, "int": int, "float": float, "bool": bool}
        return cls(**{n: convert[str(known[n].type)](v) for n, v in values.items() if n in known})
