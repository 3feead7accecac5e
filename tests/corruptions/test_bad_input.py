"""What cannot be meant is refused in one sentence that says what to do."""

import math

import numpy as np
import pytest
import torch

from corruptions import PRESETS, Preset, contact_sheet, corrupt, members, missing, names
from corruptions.presets import find_preset

GOOD = np.zeros((2, 8, 8, 3), dtype=np.uint8)


def refused(error, *fragments, images=GOOD, name="contrast", severity=1, **options):
    with pytest.raises(error) as caught:
        corrupt(images, name, severity, **options)
    text = str(caught.value)
    for fragment in fragments:
        assert fragment in text
    assert "\n" not in text
    assert text.endswith((".", ").", ")"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_float_images_are_never_guessed(dtype):
    refused(TypeError, "float", "(images * 255).round()", images=GOOD.astype(dtype))
    refused(TypeError, "float", "0..255", images=np.full((2, 8, 8), np.nan))


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool, np.int8])
def test_other_types_of_numbers(dtype):
    refused(TypeError, np.dtype(dtype).name, "8-bit", images=GOOD.astype(dtype))


def test_torch_floats_name_their_dtype_without_torch():
    refused(TypeError, "images are float32,", images=torch.zeros(2, 3, 8, 8))


@pytest.mark.parametrize("images", [[[0, 1]], "image.png", None, 3])
def test_what_is_no_array(images):
    refused(TypeError, type(images).__name__, "stack", images=images)


@pytest.mark.parametrize(
    ("shape", "fragment"),
    [
        ((8, 8), "images[None]"),
        ((32, 32, 3), "images[None]"),
        ((8,), "1 axes"),
        ((1, 2, 8, 8, 3), "5 axes"),
        ((2, 3, 8, 8), "(0, 2, 3, 1)"),
        ((2, 8, 8, 4), "alpha"),
        ((2, 8, 8, 2), "2 channels"),
        ((2, 8, 8, 5), "5 channels"),
        ((2, 1, 1, 3), "1×1"),
        ((2, 1, 8), "1×8"),
    ],
)
def test_layouts_of_arrays(shape, fragment):
    refused(ValueError, fragment, images=np.zeros(shape, dtype=np.uint8))


@pytest.mark.parametrize(
    ("shape", "fragment"),
    [
        ((2, 8, 8, 3), "(0, 3, 1, 2)"),
        ((2, 4, 8, 8), "alpha"),
        ((2, 6, 8, 8), "6 channels"),
        ((2, 3, 1, 1), "1×1"),
    ],
)
def test_layouts_of_tensors(shape, fragment):
    refused(ValueError, fragment, images=torch.zeros(shape, dtype=torch.uint8))


@pytest.mark.parametrize("severity", [6, -1, 0.5, 5.01, math.nan, math.inf])
def test_severities_out_of_range(severity):
    refused(ValueError, str(severity), "1 to 5", severity=severity)


@pytest.mark.parametrize("severity", ["3", None, True])
def test_severities_that_are_no_numbers(severity):
    refused(TypeError, repr(severity), severity=severity)


@pytest.mark.parametrize(
    ("wrong", "right"), [("gausian_noise", "gaussian_noise"), ("jpeg", "jpeg_compression")]
)
def test_an_unknown_name_offers_the_nearest(wrong, right):
    refused(ValueError, f"the nearest is {right!r}", name=wrong)
    refused(ValueError, f"the nearest is {right!r}", name=wrong, severity=0)


def test_a_name_that_is_no_name():
    refused(TypeError, "not 7", name=7)


@pytest.mark.parametrize(
    ("ids", "error", "fragment"),
    [
        ([1, 1], ValueError, "id 1 is given twice"),
        (["a", "a"], ValueError, "id 'a' is given twice"),
        ([1, 2, 3], ValueError, "3 ids for 2 images"),
        ([1, "a"], TypeError, "int, str"),
        ([0.5, 1.5], TypeError, "float"),
        ([0.0, 1.0], TypeError, "float"),
        ([True, 5], TypeError, "bool, int"),
        ([5, None], TypeError, "NoneType"),
        ([2**70, 1], ValueError, str(2**70)),
    ],
)
def test_ids(ids, error, fragment):
    refused(error, fragment, ids=ids)


@pytest.mark.parametrize("seed", [1.5, "1", None, False])
def test_seeds(seed):
    refused(TypeError, repr(seed), seed=seed)


def test_presets():
    refused(ValueError, "the nearest is 'imagenet'", preset="imagnet")
    refused(ValueError, "'digits' has no constants for 'jpeg_compression'", name="jpeg_compression")
    with pytest.raises(ValueError, match="unknown preset 'auto'"):
        find_preset("auto")


def test_colours_of_grey_images():
    grey = np.zeros((2, 32, 32), dtype=np.uint8)
    refused(ValueError, "grey", images=grey, name="saturate", preset="cifar")
    with pytest.raises(ValueError, match="grey"):
        names(["saturate"], "cifar", colour=False)


def test_sets_and_lists():
    with pytest.raises(ValueError, match="the nearest is 'imagenet-c'"):
        members("imagenet_c")
    with pytest.raises(ValueError, match="the nearest is 'fog'"):
        names(["fo"], "cifar")
    with pytest.raises(ValueError, match="'digits' has no constants for 'pixelate'"):
        names(["fog", "pixelate"], "digits")
    with pytest.raises(ValueError, match="unknown preset"):
        missing("noise", "large")


def test_a_preset_of_ones_own_needs_its_row():
    mine = Preset(
        "mine", "for one test", published=False, rows={"contrast": (0.9, 0.8, 0.7, 0.6, 0.5)}
    )
    assert corrupt(GOOD, "contrast", 2, preset=mine).shape == GOOD.shape
    refused(ValueError, "'mine' has no constants for 'fog'", name="fog", preset=mine)


def test_a_contact_sheet_of_nothing():
    for images, rows, columns in (
        (GOOD[:0], ["fog"], [1]),
        (GOOD, [], [1]),
        (GOOD, ["fog"], []),
    ):
        with pytest.raises(ValueError, match="at least one"):
            contact_sheet(images, rows, columns)


def test_every_preset_row_has_five_steps():
    for preset in PRESETS.values():
        for name, row in preset.rows.items():
            assert len(row) == 5, (preset.name, name)
