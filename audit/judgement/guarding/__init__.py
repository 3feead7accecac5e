"""The guard: the smallest rule on a model's own outputs that hands inputs back so limits hold."""

from audit.judgement.guarding.certified import guard
from audit.judgement.guarding.export import export_guard
from audit.judgement.guarding.result import Guarded, GuardResult, Point

__all__ = ["GuardResult", "Guarded", "Point", "export_guard", "guard"]
