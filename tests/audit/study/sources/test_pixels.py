from __future__ import annotations

import numpy as np
import pytest
import torch

from audit.evidence.errors import InputError
from audit.study.sources.pixels import as_inputs


def test_layouts():
    grey = np.arange(2 * 4 * 5, dtype=np.uint8).reshape(2, 4, 5)
    assert as_inputs(grey, "f").shape == (2, 4, 5, 1)
    colour = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    np.testing.assert_array_equal(as_inputs(colour, "f"), colour)
    first = torch.from_numpy(colour.transpose(0, 3, 1, 2).copy())
    np.testing.assert_array_equal(as_inputs(first, "f"), colour)
    np.testing.assert_array_equal(as_inputs(first.numpy(), "f"), colour)


def test_where_both_axes_could_be_channels_each_library_has_its_way():
    array = np.arange(2 * 3 * 4 * 3, dtype=np.uint8).reshape(2, 3, 4, 3)
    assert as_inputs(array, "f").shape == (2, 3, 4, 3)
    assert as_inputs(torch.from_numpy(array), "f").shape == (2, 4, 3, 3)


def test_floats_within_one_are_rounded_to_levels():
    images = torch.tensor([[[[0.0, 1.0, 0.5, 100 / 255]]]])
    assert as_inputs(images, "f").ravel().tolist() == [0, 255, 128, 100]
    assert as_inputs(np.array([[[0, 255]]]), "f").ravel().tolist() == [0, 255]


def test_rows():
    rows = as_inputs(np.array([[1, 2], [3, 4]]), "f")
    assert rows.dtype == np.float32
    assert rows.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros(3), r"shape \(3,\): return \[N, F\] rows"),
        (np.zeros((1, 4, 5, 6)), "no axis is 1 or 3 channels"),
        (torch.full((1, 1, 2, 2), -1.5), "from -1.5 to -1.5: return uint8, or floats within"),
        (torch.full((1, 1, 2, 2), torch.nan), "from nan to nan"),
        (np.full((1, 2, 2), 256), "from 256 to 256"),
        (np.array([["a", "b"]]), "rows of type <U1"),
        (np.array([[1.0, np.nan]]), "gives nan in row 0, column 1"),
    ],
)
def test_what_is_neither(values, problem):
    with pytest.raises(InputError, match=problem):
        as_inputs(values, "mine:data")
