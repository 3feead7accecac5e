from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, Limit, SplitNames, Undersample
from audit.study.sources import load_source
from audit.study.sources.digits import slant_angle, total_ink

DIGITS = DataSettings(source="digits")
PINNED_TEST = [1, 2, 3, 11, 13, 15]
PINNED_TRAIN = [8, 10, 12, 14, 16, 17]


def test_parts_hold_every_digit_once_but_for_the_thinned_group():
    source = load_source(DIGITS, Path())
    plain = load_source(DIGITS.model_copy(update={"undersample": None}), Path())
    ids = np.concatenate([part.ids for part in plain.parts.values()])
    assert sorted(ids) == list(range(1797))
    assert {name: len(part) for name, part in plain.parts.items()} == {
        "train": 718,
        "validation": 179,
        "test": 900,
    }
    assert set(source.train.ids) < set(plain.train.ids)
    np.testing.assert_array_equal(source.test.ids, plain.test.ids)
    np.testing.assert_array_equal(source.validation.ids, plain.validation.ids)


def test_images_and_labels_are_scikit_learns():
    source = load_source(DIGITS, Path())
    original = load_digits()
    assert source.kind == "image"
    assert source.classes == tuple("0123456789")
    for part in source.parts.values():
        assert part.inputs.dtype == np.uint8
        assert part.inputs.shape[1:] == (8, 8, 1)
        np.testing.assert_array_equal(part.labels, original.target[part.ids])
        np.testing.assert_array_equal(
            np.rint(part.inputs[..., 0].astype(float) * 16 / 255), original.images[part.ids]
        )


def test_every_class_keeps_its_share():
    source = load_source(DIGITS, Path())
    counts = np.bincount(load_digits().target)
    for part in (source.test, source.validation):
        expected = counts * len(part) / 1797
        assert np.abs(np.bincount(part.labels) - expected).max() <= 1.5


def test_only_training_loses_the_rare_group_and_a_note_says_so():
    source = load_source(DIGITS, Path())
    plain = load_source(DIGITS.model_copy(update={"undersample": None}), Path())
    before = (plain.train.groups["slant"] == "left").sum()
    after = (source.train.groups["slant"] == "left").sum()
    assert after == round(0.15 * before)
    assert (source.train.groups["slant"] == "right").sum() == (
        plain.train.groups["slant"] == "right"
    ).sum()
    assert source.notes[-1] == (
        f"Training keeps 15 % of slant=left ({after} of {before} examples), so that this group is "
        "rare in it; validation and test are as they were."
    )
    assert plain.notes == ()


def test_groups_divide_the_test_part_into_about_thirds():
    groups = load_source(DIGITS, Path()).test.groups
    assert list(groups) == ["stroke", "slant"]
    assert set(groups["stroke"]) == {"light", "medium", "heavy"}
    assert set(groups["slant"]) == {"left", "upright", "right"}
    for column in groups:
        assert groups[column].value_counts(normalize=True).between(0.28, 0.39).all()


def test_edges_come_from_the_training_split():
    source = load_source(DIGITS.model_copy(update={"undersample": None}), Path())
    train = np.concatenate([source.train.inputs, source.validation.inputs])
    low, high = np.quantile(total_ink(train), [1 / 3, 2 / 3])
    ink = total_ink(source.test.inputs)
    light = source.test.groups["stroke"].to_numpy() == "light"
    np.testing.assert_array_equal(light, ink < low)
    np.testing.assert_array_equal(source.test.groups["stroke"].to_numpy() == "heavy", ink >= high)


def test_slant_of_drawn_strokes():
    upright, right, left = np.zeros((3, 8, 8, 1), dtype=np.uint8)
    upright[:, 4] = 255
    right[np.arange(8), 7 - np.arange(8)] = 255  # like a slash
    left[np.arange(8), np.arange(8)] = 255
    angles = slant_angle(np.stack([upright, right, left, np.zeros_like(left)]))
    np.testing.assert_allclose(angles, [0, 45, -45, 0], atol=1e-9)


def test_the_same_settings_give_the_same_arrays_and_another_seed_does_not():
    first, again = (load_source(DIGITS, Path()) for _ in range(2))
    other = load_source(DIGITS.model_copy(update={"split_seed": 1}), Path())
    for name, part in first.parts.items():
        np.testing.assert_array_equal(part.inputs, again.parts[name].inputs)
        np.testing.assert_array_equal(part.ids, again.parts[name].ids)
    assert set(first.test.ids) != set(other.test.ids)


def test_pinned_first_examples():
    source = load_source(DIGITS, Path())
    assert source.test.ids[:6].tolist() == PINNED_TEST
    assert source.train.ids[:6].tolist() == PINNED_TRAIN


def test_a_limit_is_stratified_and_said():
    source = load_source(
        DIGITS.model_copy(update={"limit": Limit(test=100), "undersample": None}), Path()
    )
    assert len(source.test) == 100
    assert np.bincount(source.test.labels).min() >= 9
    assert source.notes == (
        "The test part is a stratified sample of 100 of 900 examples (data.limit).",
    )


def test_fractions_and_no_training_part():
    half = load_source(
        DIGITS.model_copy(update={"test_fraction": 0.25, "validation_fraction": 0.0}), Path()
    )
    assert len(half.test) == round(0.25 * 1797)
    assert half.validation is None
    audited = load_source(DIGITS.model_copy(update={"splits": SplitNames(train=None)}), Path())
    assert audited.train is None
    assert audited.validation is None
    assert len(audited.test) == 900


def test_a_fraction_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match=r"test_fraction 0\.0001 of 1797 digits"):
        load_source(DIGITS.model_copy(update={"test_fraction": 0.0001}), Path())


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ({"slat": "left"}, "asks for the column 'slat', which is not there: did you mean 'slant'"),
        ({"slant": "lift"}, "slant=lift, which no training example has: did you mean 'left'"),
    ],
)
def test_a_group_to_thin_must_be_there(where, problem):
    settings = DIGITS.model_copy(update={"undersample": Undersample(where=where, keep=0.5)})
    with pytest.raises(InputError, match=problem):
        load_source(settings, Path())


def test_another_group_can_be_thinned():
    settings = DIGITS.model_copy(
        update={
            "undersample": Undersample(where={"stroke": "heavy", "label": 3}, keep=0.5),
            "groups": ("slant",),
        }
    )
    source = load_source(settings, Path())
    assert list(source.test.groups) == ["slant"]
    assert "50 % of label=3 & stroke=heavy" in source.notes[-1]
