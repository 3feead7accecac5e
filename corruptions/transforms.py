"""`corrupt` as a transform for torchvision's v2 pipelines; the one file that needs torchvision."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from .adapters import Corrupting
from .presets import Preset


class Corrupt(v2.Transform):  # type: ignore[misc]  # torchvision has no types
    """Corrupt the images of a sample; labels, boxes, masks and key points pass through.

    What is an image is decided as everywhere in torchvision v2: Pillow images, `tv_tensors.Image`
    and `Video` (each frame on its own), or the first plain tensor of a sample that has none of
    these. Tensors are [H, W], [C, H, W] or have more axes in front.

    Without `ids`, an image's draws depend on the seed and on what the image holds (a hash of its
    pixels, shape and dtype), so that they are the same for every worker, order and epoch: equal
    images draw alike. For augmentation, use another seed in every epoch.
    """

    def __init__(
        self,
        name: str | Callable[..., Any],
        severity: float,
        *,
        ids: Callable[[Any], int | str | Sequence[int] | Sequence[str]] | None = None,
        seed: int = 0,
        preset: str | Preset = "auto",
        value_range: tuple[float, float] | None = None,
        bands: bool = False,
        threads: int | None = None,
        frost: str | Path | None = None,
    ) -> None:
        """Keep what `corrupt` is to be called with.

        Args:
            name: As for `corrupt`.
            severity: As for `corrupt`.
            ids: Gives the id of a sample's image, or one for each image of a batch; it is handed
                the sample (a tuple where the transform was called with several arguments).
            seed: As for `corrupt`.
            preset: As for `corrupt`.
            value_range: As for `corrupt`; needed for float images, such as after `ToDtype`.
            bands: As for `corrupt`.
            threads: As for `corrupt`.
            frost: As for `corrupt`.
        """
        super().__init__()
        self.name, self.severity, self.seed = name, severity, seed
        self._ids = ids
        self._corrupting = Corrupting(
            name,
            severity,
            {
                "seed": seed,
                "preset": preset,
                "value_range": value_range,
                "bands": bands,
                "threads": threads,
                "frost": frost,
            },
        )

    def forward(self, *inputs: Any) -> Any:
        """The sample with its images changed; its structure and kinds stay.

        Raises:
            TypeError: There is no image in it (NumPy arrays are none to torchvision), no id for it;
                and what `corrupt` raises.
            ValueError: What should be an image has one axis; and what `corrupt` raises.
        """
        sample = inputs if len(inputs) > 1 else inputs[0]
        given: Any = None if self._ids is None else self._ids(sample)
        if self._ids is not None and given is None:
            # An id that is missing here and there would change what is drawn, unnoticed.
            raise TypeError("ids gave None for a sample: let it give an id, or leave it out.")
        if isinstance(given, Tensor):
            given = given.tolist()
        ids = [given] if isinstance(given, numbers.Integral | str) else given
        images: list[Any] = []
        change = v2.Lambda(partial(self._changed, ids=ids, images=images), Tensor, Image.Image)
        result = change(*inputs)
        # Passing it on would have clean images taken for corrupted ones.
        if not images:
            raise TypeError(
                f"a sample of {type(sample).__name__} holds no Pillow image, image tensor or video "
                "to corrupt: put v2.ToImage() before, which makes one of an array [H, W, C]."
            )
        return result

    def _changed(self, leaf: Any, ids: Sequence[Any] | None, images: list[Any]) -> Any:
        if isinstance(leaf, tv_tensors.TVTensor):
            if not isinstance(leaf, tv_tensors.Image | tv_tensors.Video):
                return leaf
            images.append(leaf)
            return tv_tensors.wrap(self._tensor(leaf.as_subclass(Tensor), ids), like=leaf)
        images.append(leaf)
        if isinstance(leaf, Image.Image):
            return self._corrupting.each([leaf], ids)[0]
        return self._tensor(leaf, ids)

    def _tensor(self, images: Tensor, ids: Sequence[Any] | None) -> Tensor:
        if images.ndim < 2:
            raise ValueError(
                f"the sample's first tensor has the shape {tuple(images.shape)} and is no image: "
                "put the image first, or wrap it in tv_tensors.Image."
            )
        one = images.shape[-3:] if images.ndim > 2 else (1, *images.shape)
        return self._corrupting.batch(images.reshape(-1, *one), ids).reshape(images.shape)
