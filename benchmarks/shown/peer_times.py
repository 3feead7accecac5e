"""Times imagecorruptions in an environment of its own; knows nothing of prune-audit.

python peer_times.py IMAGES.npy SEVERITY REPEATS [HEAD]: prints JSON, for each corruption
{"per_s": images a second of processor time, "change": mean |difference| of each image timed} or
{"fails": why}. HEAD is a folder with the unreleased state of the repository.
"""

from __future__ import annotations

import functools
import json
import sys
import time
import warnings

import numpy as np

warnings.simplefilter("ignore")
path, severity, repeats = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
released = len(sys.argv) < 5
if not released:
    sys.path.insert(0, sys.argv[4])

import imagecorruptions  # noqa: E402
from imagecorruptions import corruptions as functions  # noqa: E402

if released:
    # scikit-image dropped `multichannel` before there was a Python 3.11 wheel that has it.
    gaussian = functions.gaussian

    @functools.wraps(gaussian)
    def with_axis(image, sigma=1, multichannel=False, **others):  # noqa: ANN001, ANN003, ANN201
        return gaussian(image, sigma=sigma, channel_axis=-1 if multichannel else None, **others)

    functions.gaussian = with_axis


def timed(name: str, images: np.ndarray) -> dict[str, object]:
    """The best of some windows, each of half a second or all images."""

    def one(image: np.ndarray) -> np.ndarray:
        return np.uint8(imagecorruptions.corrupt(image, severity=severity, corruption_name=name))

    np.random.seed(0)  # noqa: NPY002  # its only source of draws
    one(images[0])  # what is compiled on the first call is not timed
    best, change = 0.0, []
    for turn in range(repeats):
        spent, count = 0.0, 0
        for image in images:
            start = time.process_time()
            shown = one(image)
            spent, count = spent + time.process_time() - start, count + 1
            if turn == 0:
                change.append(float(np.abs(shown.astype(int) - image).mean()))
            if spent > 1:
                break
        best = max(best, count / spent)
    return {"per_s": best, "change": change}


report = {}
for name in imagecorruptions.get_corruption_names("all"):
    try:
        report[name] = timed(name, np.load(path))
    except Exception as error:
        report[name] = {"fails": f"{type(error).__name__}: {error}"}
print(json.dumps(report))
