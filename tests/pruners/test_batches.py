"""Batches and augmentation: every example once, movements that can be seen."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from pruners.batches import epoch_batches, flip, shift, shift_flip, steps_per_epoch


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
def test_every_example_once_in_batches_of_nearly_equal_size(examples, batch_size, seed):
    batches = list(epoch_batches(examples, batch_size, torch.Generator().manual_seed(seed)))
    sizes = [len(batch) for batch in batches]
    assert sorted(torch.cat(batches).tolist()) == list(range(examples))
    assert max(sizes) <= batch_size
    assert max(sizes) - min(sizes) <= 1
    assert len(batches) == steps_per_epoch(examples, batch_size)


def test_shift_moves_by_a_pixel_at_most_on_digits_and_brings_in_zeros():
    images = torch.zeros(200, 1, 8, 8, dtype=torch.uint8)
    images[:, :, 4, 4] = 9
    moved = shift(images, torch.Generator().manual_seed(0))
    assert moved.dtype == torch.uint8
    places = {tuple(place) for place in moved.nonzero()[:, 2:].tolist()}
    assert places == {(row, column) for row in (3, 4, 5) for column in (3, 4, 5)}
    assert (moved.sum(dim=(1, 2, 3)) == 9).all()
    full = shift(torch.ones(50, 1, 8, 8), torch.Generator().manual_seed(0))
    assert full.min() == 0.0


def test_shift_keeps_channels_and_examples_apart():
    images = torch.arange(6.0)[:, None, None, None] * 10 + torch.arange(3.0)[None, :, None, None]
    images = images.expand(6, 3, 16, 16) + 1
    moved = shift(images, torch.Generator().manual_seed(0))
    assert torch.equal(moved[:, :, 8, 8], images[:, :, 8, 8])


def test_flip_mirrors_about_half():
    images = torch.arange(4.0).expand(400, 1, 2, 4)
    mirrored = flip(images, torch.Generator().manual_seed(0))[:, 0, 0, 0] == 3.0
    assert 150 < mirrored.sum() < 250
    assert torch.equal(
        flip(images, torch.Generator().manual_seed(0))[0, 0, 0].sort().values, torch.arange(4.0)
    )


def test_augmentation_is_a_function_of_its_draws():
    images = torch.rand(9, 3, 8, 8)
    once = shift_flip(images, torch.Generator().manual_seed(3))
    assert torch.equal(once, shift_flip(images, torch.Generator().manual_seed(3)))
    assert not torch.equal(once, shift_flip(images, torch.Generator().manual_seed(4)))
