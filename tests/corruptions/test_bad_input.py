"""What cannot be meant is refused in one sentence that says what to do."""

import math

import numpy as np
import pytest
import torch

from corruptions import Preset, contact_sheet, corrupt, members, missing, names
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
def test_the_range_of_floats_is_never_guessed(dtype):
    images = np.linspace(0.25, 0.75, GOOD.size).reshape(GOOD.shape).astype(dtype)
    refused(TypeError, f"images are {np.dtype(dtype)} and", "value_range=(0, 1)", images=images)
    refused(TypeError, "holds 0.25 to 0.49", "uint8", images=images, severity=0)
    refused(TypeError, "value_range", images=images[:0])


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, np.int8])
def test_nor_is_that_of_integers(dtype):
    refused(
        TypeError, f"images are {np.dtype(dtype)} and", "value_range", images=GOOD.astype(dtype)
    )


def test_torch_names_its_dtypes_without_torch():
    refused(TypeError, "images are float32 and", images=torch.zeros(2, 3, 8, 8))
    refused(TypeError, "images are bfloat16 and", images=torch.zeros(2, 3, 8, 8).bfloat16())


@pytest.mark.parametrize(
    ("dtype", "fragment"),
    [(bool, "masks * 255"), (complex, "complex128"), (object, "object"), ("U3", "str")],
)
def test_what_is_no_number(dtype, fragment):
    refused(TypeError, fragment, images=GOOD.astype(dtype), value_range=(0, 1))


def test_a_masked_array_would_lose_its_mask():
    refused(TypeError, "fill it first", images=np.ma.masked_equal(GOOD, 0))


@pytest.mark.parametrize("value", [1.25, -0.5, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("severity", [0, 3])
def test_floats_outside_the_stated_range(value, severity):
    images = np.zeros((40, 3, 70, 70), dtype=np.float32)
    images[37, 1, 5, 6] = value
    for batch in (images.transpose(0, 2, 3, 1), torch.from_numpy(images)):
        refused(
            ValueError,
            f"image 37 of the batch holds {value:g}, outside the stated range (0, 1)",
            images=batch,
            severity=severity,
            value_range=(0, 1),
        )


def test_integers_outside_the_stated_range():
    images = np.full((2, 8, 8), 5000, dtype=np.uint16)
    refused(ValueError, "image 0", "5000", "(0, 4095)", images=images, value_range=(0, 4095))


@pytest.mark.parametrize("wrong", [1, (0,), (0, 1, 2), "01", ("a", "b"), (False, True), {0, 1}])
def test_ranges_that_are_no_two_numbers(wrong):
    images = np.zeros((2, 8, 8), dtype=np.float32)
    refused(TypeError, "value_range must be two numbers", images=images, value_range=wrong)


@pytest.mark.parametrize("wrong", [(1, 0), (1, 1), (0, math.inf), (math.nan, 1)])
def test_ranges_that_are_empty_or_endless(wrong):
    images = np.zeros((2, 8, 8), dtype=np.float32)
    refused(ValueError, "is no range", images=images, value_range=wrong)


@pytest.mark.parametrize(
    ("dtype", "wrong"),
    [(np.uint8, (0, 256)), (np.uint16, (-1, 4095)), (np.float16, (0, 1e6)), (np.int64, (0, 2**60))],
)
def test_ranges_beyond_what_images_can_hold(dtype, wrong):
    refused(ValueError, "beyond what", images=GOOD.astype(dtype), value_range=wrong)


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


def test_bands_are_only_taken_for_bands_if_told():
    refused(TypeError, "bands must be True or False", bands=1)
    refused(ValueError, "bands=True", images=np.zeros((2, 8, 8, 4), dtype=np.uint8))
    refused(ValueError, "bands=True", images=np.zeros((2, 8, 8, 7), dtype=np.uint8))
    refused(ValueError, "0 channels", images=np.zeros((2, 8, 8, 0), dtype=np.uint8), bands=True)
    five = np.zeros((2, 8, 8, 5), dtype=np.uint8)
    refused(ValueError, "changes colours", images=five, bands=True, name="saturate", preset="cifar")


@pytest.mark.parametrize("severity", [6, -1, 0.5, 5.01, math.nan, math.inf])
def test_severities_out_of_range(severity):
    refused(ValueError, str(severity), "1 to 5", severity=severity)


@pytest.mark.parametrize("severity", ["3", None, True])
def test_severities_that_are_no_numbers(severity):
    refused(TypeError, repr(severity), severity=severity)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("gausian_noise", "gaussian_noise"),
        ("jpeg", "jpeg_compression"),
        ("Motion Blur", "motion_blur"),
        ("elastic-transform", "elastic_transform"),
    ],
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
    refused(ValueError, "bands", images=GOOD[..., [0] * 5], name="saturate", bands=True)
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
        missing("noise", "enormous")


def test_a_preset_of_ones_own_needs_its_row():
    mine = Preset(
        "mine", "for one test", published=False, rows={"contrast": (0.9, 0.8, 0.7, 0.6, 0.5)}
    )
    assert corrupt(GOOD, "contrast", 2, preset=mine).shape == GOOD.shape
    refused(ValueError, "'mine' has no constants for 'fog'", name="fog", preset=mine)


def test_a_contact_sheet_of_one_name_by_itself():
    with pytest.raises(TypeError, match=r"write \['fog'\]"):
        contact_sheet(GOOD, "fog")


def test_a_contact_sheet_of_nothing():
    for images, rows, columns in (
        (GOOD[:0], ["fog"], [1]),
        (GOOD, [], [1]),
        (GOOD, ["fog"], []),
    ):
        with pytest.raises(ValueError, match="at least one"):
            contact_sheet(images, rows, columns)
