"""One pair of models and a plain rate: bounds from the flips themselves, not from their variance.

A t of so few flips is wrong where it matters: a file chosen out of seven that loses exactly the
limit, all flips one way, was found within it in 2.8 % of cases at a level of 0.7 % (1,000 examples,
1 point). Tango's score bound (1998) evaluates the variance at the limit instead; with the same
counts it stays at 0.7 % to 0.8 %. Pooled over several models it would over-reject, as McNemar's
test does, so several pairs keep the t of `inference`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from scipy import special

from audit.judgement.findings import Finding

# A mean over examples of −1, 0 or 1; rates that are means over classes are none.
PLAIN = ("accuracy", "recall", "group_accuracy")
PLAIN_OF_A_CLASS = ("class_fpr", "group_fnr", "group_fpr", "group_selection_rate", "group_tpr")
TIE = 1e-6
STEPS = 60  # halvings of [−1, 1]: far below the sixth decimal


@dataclass(frozen=True)
class Flips:
    """What one pair of models does differently.

    Attributes:
        harmed: Examples that changed for the worse.
        mended: Examples that changed for the better.
        n: Examples in the denominator.
    """

    harmed: int
    mended: int
    n: int

    def p_over(self, threshold: float) -> float:
        """One-sided p of harm ≤ threshold."""
        spread = self._error(threshold)
        observed = (self.harmed - self.mended) / self.n
        if spread == 0.0:
            return 0.0 if observed > threshold else 1.0
        return float(special.ndtr((threshold - observed) / spread))

    def most(self, level: float) -> float:
        """Upper one-sided bound of the harm at 1 − level."""
        low, high = (self.harmed - self.mended) / self.n, 1.0
        for _ in range(STEPS):
            middle = (low + high) / 2.0
            if 1.0 - self.p_over(middle) <= level:
                high = middle
            else:
                low = middle
        return high

    def least(self, level: float) -> float:
        """Lower one-sided bound of the harm at 1 − level."""
        return -Flips(self.mended, self.harmed, self.n).most(level)

    def _error(self, threshold: float) -> float:
        """Standard error of the observed harm, were the threshold the true one (Tango, eq. 5)."""
        b, c, n, x = self.harmed, self.mended, self.n, threshold
        middle = -b - c + (2 * n - b + c) * x
        inside = max(middle**2 + 8.0 * n * c * x * (1.0 - x), 0.0)  # rounding may pass below 0
        mended = (sqrt(inside) - middle) / (4.0 * n)
        return sqrt(max(2.0 * mended + x * (1.0 - x), 0.0) / n)


def flips_of(finding: Finding) -> Flips | None:
    """The flips behind a finding of one unweighted, unclustered pair; None where it is no rate."""
    plain = finding.measure in PLAIN or (
        finding.measure in PLAIN_OF_A_CLASS and finding.class_ is not None
    )
    if not plain or finding.worse_direction is None or not finding.n:
        return None
    if finding.change is None or finding.discordant is None or finding.parents != 1:
        return None
    sign = 1.0 if finding.worse_direction == "up" else -1.0
    net, flips = sign * finding.change * finding.n, finding.discordant
    harmed = (flips + net) / 2.0
    if abs(harmed - round(harmed)) > TIE * max(flips, 1) or abs(net) > flips + TIE:
        return None  # replicates of one parent were averaged: no counts of one pair
    return Flips(round(harmed), flips - round(harmed), finding.n)
