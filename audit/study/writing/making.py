"""Makes the units of a copy that are not there: changes and encodes images on several threads."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

import corruptions
from audit.evidence.errors import InputError
from audit.study.progress import Watcher
from audit.study.writing.examples import Pixels
from audit.study.writing.layouts import Layout, Unit
from audit.study.writing.survey import Batch, Gallery
from audit.study.writing.what import Changes

Encoded = tuple[int, list[Any]]
Change = Callable[[Batch, Unit], list[Pixels]]


def make_units(
    units: tuple[Unit, ...],
    change: Change,
    layout: Layout,
    gallery: Gallery,
    threads: int,
    watch: Watcher,
) -> tuple[int, float]:
    """Makes the units that are not there.

    Args:
        units: All that are wanted.
        change: Corrupts a batch.
        layout: Encodes and writes.
        gallery: The images.
        threads: Batches that are worked on at a time.
        watch: Told of the progress, in images.

    Returns:
        How many were made, and the seconds it took.
    """
    todo = [unit for unit in units if not layout.done(unit)]
    there, each = len(units) - len(todo), len(gallery)
    watch.stage("corrupt", there * each, len(units) * each)
    start = time.perf_counter()
    for place, unit in enumerate(units):
        if unit in todo:
            layout.write(unit, _changed(unit, change, layout, gallery, threads, watch))
        if units[place + 1 : place + 2] == () or units[place + 1].corruption != unit.corruption:
            layout.finish(unit.corruption)
    return len(todo), time.perf_counter() - start


def changer(changes: Changes, preset: str) -> Change:
    """What corrupts a batch as a person asked, those of one size together."""

    def change(batch: Batch, unit: Unit) -> list[Pixels]:
        shapes: dict[tuple[int, ...], list[int]] = {}
        for place, image in enumerate(batch.images):
            shapes.setdefault(image.shape, []).append(place)
        changed = list(batch.images)
        for places in shapes.values():
            together = np.stack([batch.images[place] for place in places])
            result = _corrupted(together, batch.ids[places], unit, changes, preset)
            for place, image in zip(places, result, strict=True):
                changed[place] = image
        return changed

    return change


def _corrupted(images: Pixels, ids: Any, unit: Unit, changes: Changes, preset: str) -> Pixels:
    try:
        return corruptions.corrupt(
            images,
            unit.corruption,
            unit.severity,
            seed=changes.seed,
            ids=ids.astype(str),  # as in evidence, so that a study draws the same
            preset=preset,
            frost=changes.frost,
            threads=1,  # the batches have threads of their own
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{unit}: {error}") from error


def _changed(
    unit: Unit, change: Change, layout: Layout, gallery: Gallery, threads: int, watch: Watcher
) -> Iterator[Encoded]:
    """The unit's images in order, encoded."""

    def work(batch: Batch) -> Encoded:
        return batch.start, [layout.encoded(image) for image in change(batch, unit)]

    for start, encoded in in_order(work, gallery.batches(), threads):
        yield start, encoded
        watch.advance(len(encoded))


def in_order(
    work: Callable[[Batch], Encoded], batches: Iterator[Batch], threads: int
) -> Iterator[Encoded]:
    """Works on a few batches at a time, and gives the results in order."""
    if threads == 1:
        yield from map(work, batches)
        return
    pool, waiting = ThreadPoolExecutor(threads), deque[Future[Encoded]]()
    try:
        for batch in batches:
            waiting.append(pool.submit(work, batch))
            if len(waiting) > threads:  # one more than are at work, so that no thread idles
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
