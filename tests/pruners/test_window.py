"""The shop window, and what the library may import."""

from __future__ import annotations

import subprocess
import sys

import pruners


def test_the_window_lists_what_it_shows():
    shown = {
        name
        for name, value in vars(pruners).items()
        if not name.startswith("_") and type(value).__name__ != "module" and name != "annotations"
    }
    assert set(pruners.__all__) == shown
    assert len(pruners.__all__) == len(set(pruners.__all__))


def test_the_library_stands_alone():
    code = (
        "import sys, pruners\n"
        "found = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(found & {'audit', 'corruptions', 'reports', 'pandas', 'sklearn'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_row_of_every_catalogue_has_a_line_and_a_source():
    for catalogue in (
        pruners.SALIENCIES,
        pruners.GRANULARITIES,
        pruners.ALLOCATIONS,
        pruners.SCHEDULES,
        pruners.RETRAININGS,
        pruners.AUGMENTATIONS,
    ):
        assert list(catalogue) == sorted(catalogue) or catalogue is pruners.AUGMENTATIONS
        for row in catalogue.values():
            assert callable(row.function)
            assert row.summary
            assert row.source
