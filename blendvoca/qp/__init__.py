"""The fit's quadratic program: the problem as a type, a solver made for its shape, the proof on every answer.

Matrices only; `blendvoca.fit.fitter` turns meshes into them.
"""

from blendvoca.qp.certificate import QPResult
from blendvoca.qp.problem import RateLimitedQP
from blendvoca.qp.solve import QPSettings, solve

__all__ = ["QPResult", "QPSettings", "RateLimitedQP", "solve"]
