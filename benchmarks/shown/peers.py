"""An environment in which imagecorruptions imports, and its times there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The newest of each with which the released version imports: pkg_resources left setuptools in 82,
# and np.float_ left NumPy in 2.0.
PINS = (
    "imagecorruptions==1.1.2",
    "setuptools<82",
    "numpy<2",
    "scikit-image<0.23",
    "scipy<1.12",
    "opencv-python-headless<4.11",
    "numba",  # the unreleased state needs it
)


def environment(folder: Path) -> Path | None:
    """The Python of an environment with the peer in it, made once; None where it cannot be."""
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    print(f"making an environment for imagecorruptions in {folder} …")
    venv.create(folder, with_pip=True, clear=True)
    install = [python, "-m", "pip", "install", "--quiet", *PINS]
    if subprocess.run(install, check=False).returncode:
        return None
    ready.touch()
    return python


def times(
    python: Path | None,
    images: NDArray[np.uint8],
    severity: int,
    repeats: int,
    scratch: Path,
    head: Path | None = None,
) -> dict[str, Any]:
    """What `peer_times.py` prints; {} where there is no such peer."""
    if python is None:
        return {}
    path = scratch / "images.npy"
    np.save(path, images)
    script = Path(__file__).with_name("peer_times.py")
    command = [python, script, path, str(severity), str(repeats), *([head] if head else [])]
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | one | {"OPENCV_FOR_THREADS_NUM": "1"},
    )
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
        return {}
    return dict(json.loads(done.stdout))
