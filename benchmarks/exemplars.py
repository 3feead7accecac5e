"""How long exemplars take with floor and swap test, on synthetic predictions of ImageNet's size.

50,000 examples × 1,000 classes × (30 dense + 30 controls + 7 × 30 pruned), 1,000 sampled swaps at
each sparsity. Run it from the repository root:

    python benchmarks/exemplars.py [--examples 50000] [--classes 1000] [--parents 30]

It prints seconds per step and the largest memory, and writes `benchmarks/results/exemplars.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from audit_core import SPARSITIES, synthesise

from audit.judgement.classes.screen import rate_findings
from audit.judgement.classes.shares import share_findings
from audit.judgement.design import arms
from audit.judgement.exemplars import exemplar_families
from audit.judgement.pairs import contrast, correct, design, pairs
from audit.judgement.plan import Plan

TARGET = {"seconds": 60, "gib": 3}
RESULTS = Path(__file__).parent / "results" / "exemplars.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--parents", type=int, default=30)
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args()
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[name] = round(time.perf_counter() - start, 2)
        print(f"{name:<40} {seconds[name]:8.2f} s", flush=True)

    with timed("making predictions (not counted)"):
        block, evidence = synthesise(asked.examples, asked.classes, asked.parents)
    audited = arms(evidence.models)
    for name, groups in (("exemplars", ()), ("exemplars, 5 groups as well", None)):
        with timed(name):
            exemplar_families(block, evidence, audited, Plan(resamples=asked.swaps, groups=groups))
    known = design(evidence, Plan())
    of_classes = range(asked.classes)
    with timed("precision and FPR of every class"):
        for arm in audited:
            if (found := pairs(block, arm, known)) is not None:
                rate_findings(found, [f"class {c}" for c in of_classes])
    with timed("shares of classes that lose or gain"):
        for arm in audited:
            if (found := pairs(block, arm, known)) is not None:
                share_findings(found, contrast(found, correct(known.labels)), asked.classes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'largest memory':<40} {peak:8.2f} GiB; to reach: {TARGET}")
    result = {
        "examples": asked.examples,
        "classes": asked.classes,
        "parents": asked.parents,
        "sparsities": len(SPARSITIES),
        "swaps": asked.swaps,
        "seconds": seconds,
        "peak_gib": round(peak, 2),
        "target": TARGET,
        "machine": {
            "cpus": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
