"""The contact sheet shows what `corrupt` makes, where it says so."""

import numpy as np
import torch

from corruptions import contact_sheet, corrupt


def test_cells_hold_the_corrupted_images(digits):
    sheet = contact_sheet(digits[:2], ["contrast", "fog", "rotate"], (0, 2.5), seed=3, side=16)
    assert sheet.mode == "RGB"
    assert sheet.size == (130 + 2 * 20, 18 + 3 * 20)
    pixels = np.asarray(sheet)
    for row, name in enumerate(("contrast", "fog", "rotate")):
        for column, severity in enumerate((0, 2.5)):
            one = digits[[row % 2]]
            cell = corrupt(one, name, severity, seed=3, ids=[row % 2])[0].repeat(2, 0).repeat(2, 1)
            top, left = 18 + row * 20, 130 + column * 20
            assert np.array_equal(pixels[top : top + 16, left : left + 16, 0], cell)
    assert (pixels[:18, 130:] < 128).any()  # the severities are written above
    assert (pixels[18:, :130] < 128).any()  # and the names on the left


def test_tensors_in_colour_and_other_proportions():
    images = torch.randint(0, 256, (1, 3, 20, 40), dtype=torch.uint8)
    sheet = contact_sheet(images, ["contrast"], (0,), side=40)
    shown = np.asarray(sheet)[18:38, 130:170]
    assert np.array_equal(shown, images[0].permute(1, 2, 0).numpy())
