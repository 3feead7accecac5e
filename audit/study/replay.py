"""Makes the batches of a condition once, also for more models than are held at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit.study.showing import Batch

# Bytes of a condition that wait for the next models: 10,000 pictures of 64×64 in colour are half.
KEPT = 2**30


@dataclass
class Replay:
    """The batches of a condition, kept in memory while they are few and are wanted again.

    Attributes:
        make: Makes them anew; batch, order and bytes are the same each time.
        again: Whether they are wanted more than once.
        kept: What was made so far; None where it was too much.
    """

    make: Callable[[], Iterator[Batch]]
    again: bool
    kept: list[Batch] | None = field(default_factory=list)
    complete: bool = False

    def __iter__(self) -> Iterator[Batch]:
        """Every batch, in order."""
        if self.complete and self.kept is not None:
            yield from self.kept
            return
        self.kept, held = ([] if self.again else None), 0
        for batch in self.make():
            held += batch.inputs.numel() * batch.inputs.element_size()
            if self.kept is not None and held <= KEPT:
                self.kept.append(batch)
            else:
                self.kept = None
            yield batch
        self.complete = self.kept is not None
