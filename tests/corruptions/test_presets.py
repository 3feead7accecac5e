"""Which constants are picked, how they are interpolated, and what the sets hold."""

import inspect

import pytest

from corruptions import CORRUPTIONS, PRESETS, SETS, members, missing, names, preset_for


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((100, 8, 8), "digits"),
        ((100, 8, 8, 3), "digits"),
        ((100, 16, 16, 1), "digits"),
        ((100, 28, 28), "mnist"),
        ((100, 1, 28, 28), "mnist"),
        ((100, 28, 28, 3), "cifar"),
        ((100, 3, 32, 32), "cifar"),
        ((100, 32, 64, 3), "cifar"),
        ((100, 64, 64, 3), "tiny"),
        ((100, 96, 96), "tiny"),
        ((100, 3, 224, 224), "imagenet"),
        ((100, 299, 299, 3), "imagenet299"),
        ((0, 3, 423, 640), "imagenet299"),
        ((0, 3, 424, 640), "large"),
        ((1, 5000, 4000), "large"),
    ],
)
def test_auto_picks_by_the_shorter_side_and_by_colour(shape, name):
    assert preset_for(shape).name == name


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8, 4), (1, 2, 3, 4, 5)])
def test_shapes_that_are_no_batch(shape):
    with pytest.raises(ValueError, match="reshape"):
        preset_for(shape)


def test_presets_are_keyed_by_their_names():
    assert {name: preset.name for name, preset in PRESETS.items()} == {n: n for n in PRESETS}


def test_constants_at_whole_severities_are_the_rows():
    for preset in PRESETS.values():
        for corruption, row in preset.rows.items():
            for severity, step in enumerate(row, start=1):
                wanted = step if isinstance(step, tuple) else (step,)
                assert preset.constants(corruption, severity) == wanted


def test_a_preset_says_which_severities_it_has():
    wanted = {name: (1,) if name == "mnist-c" else (1, 2, 3, 4, 5) for name in PRESETS}
    assert {name: preset.severities for name, preset in PRESETS.items()} == wanted
    for preset in PRESETS.values():
        assert {len(row) for row in preset.rows.values()} == {len(preset.severities)}


@pytest.mark.parametrize("severity", [1.5, 2, 5])
def test_mnist_c_refuses_other_severities_than_its_one(severity):
    sentence = "^preset 'mnist-c' has one severity: use severity 1, or preset 'mnist'.$"
    with pytest.raises(ValueError, match=sentence):
        PRESETS["mnist-c"].constants("fog", severity)


def test_constants_in_between_are_interpolated():
    imagenet = PRESETS["imagenet"]
    assert imagenet.constants("motion_blur", 1.5) == (12.5, 4.0)
    assert imagenet.constants("jpeg_compression", 4.25) == pytest.approx((9.25,))


def test_every_row_fits_its_function():
    for preset in PRESETS.values():
        for corruption in preset.rows:
            signature = inspect.signature(CORRUPTIONS[corruption].function)
            assert list(signature.parameters)[:2] == ["images", "stream"]
            for severity in preset.severities:
                signature.bind(None, None, *preset.constants(corruption, severity))


def test_published_rows_spot_checked():
    assert PRESETS["imagenet"].rows["gaussian_noise"] == (0.08, 0.12, 0.18, 0.26, 0.38)
    assert PRESETS["imagenet299"].rows["jpeg_compression"] == (23, 16, 13, 8, 5)
    assert PRESETS["tiny"].rows["saturate"][4] == (30.0, 0.2)
    assert PRESETS["cifar"].rows["defocus_blur"][2] == (0.5, 0.6)
    assert [p.name for p in PRESETS.values() if not p.published] == ["digits", "mnist", "large"]


def test_the_published_set_is_in_the_benchmarks_order_and_says_what_is_missing():
    assert len(SETS["imagenet-c"]) == 15
    available = names("imagenet-c", "cifar")
    assert available == tuple(n for n in SETS["imagenet-c"] if n in CORRUPTIONS)
    lacking = missing("imagenet-c", "cifar")
    assert sorted(available + lacking) == sorted(SETS["imagenet-c"])
    assert lacking == tuple(n for n in SETS["imagenet-c"] if n not in CORRUPTIONS)
    assert missing("imagenet-c-extra", "cifar") == ()
    assert missing("imagenet-c-extra", "cifar", colour=False) == ("saturate",)


def test_a_list_of_names_is_kept_as_it_is():
    assert names(["fog", "contrast"], "digits") == ("fog", "contrast")
    assert members("weather") == ("snow", "frost", "fog", "brightness", "spatter")


@pytest.mark.parametrize("family", ["noise", "blur", "weather", "digital", "geometry", "strokes"])
def test_family_sets_hold_the_family_but_for_c_bar(family):
    rows = {n: row for n, row in CORRUPTIONS.items() if row.source != "ImageNet-C-bar"}
    assert set(SETS[family]) == {n for n, row in rows.items() if row.family == family}


def test_every_corruption_is_in_some_preset_and_every_row_is_a_corruption():
    assert {name for preset in PRESETS.values() for name in preset.rows} == set(CORRUPTIONS)
