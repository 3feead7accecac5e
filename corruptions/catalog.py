"""The corruptions there are, one row each, and the named sets of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from . import (
    blur,
    digital,
    elastic,
    frost,
    geometry,
    glass,
    noise,
    snow,
    spatter,
    strokes,
    weather,
    zoom,
)
from .bar import rows as bar
from .corruption import Corruption
from .presets import Preset, find_preset
from .spelling import unknown
from .tiles import disk_rows, gaussian_rows, path_rows, pixel_alone

CORRUPTIONS: Mapping[str, Corruption] = {
    "gaussian_noise": Corruption(
        noise.gaussian_noise,
        "noise",
        "normal noise on every element",
        reach=pixel_alone,
        per_element=True,
    ),
    "shot_noise": Corruption(
        noise.shot_noise,
        "noise",
        "Poisson noise, as from too few photons",
        reach=pixel_alone,
        per_element=True,
    ),
    "impulse_noise": Corruption(
        noise.impulse_noise,
        "noise",
        "some elements black or white",
        reach=pixel_alone,
        per_element=True,
    ),
    "speckle_noise": Corruption(
        noise.speckle_noise,
        "noise",
        "normal noise in proportion to brightness",
        reach=pixel_alone,
        per_element=True,
    ),
    "defocus_blur": Corruption(
        blur.defocus_blur, "blur", "a lens out of focus", between="images", reach=disk_rows
    ),
    "glass_blur": Corruption(
        glass.glass_blur, "blur", "frosted glass: pixels taken from neighbours", between="images"
    ),
    "motion_blur": Corruption(
        blur.motion_blur, "blur", "a camera that moved, at a random angle", reach=path_rows
    ),
    "zoom_blur": Corruption(zoom.zoom_blur, "blur", "a camera that moved towards the object"),
    "gaussian_blur": Corruption(blur.gaussian_blur, "blur", "a Gaussian blur", reach=gaussian_rows),
    "snow": Corruption(snow.snow, "weather", "streaks of snow on a whitened image"),
    "frost": Corruption(frost.frost, "weather", "through a frosted window", photographs=True),
    "fog": Corruption(weather.fog, "weather", "a plasma fractal of mist over the image"),
    "brightness": Corruption(
        weather.brightness, "weather", "brighter by a constant", reach=pixel_alone
    ),
    "spatter": Corruption(spatter.spatter, "weather", "drops of water, or mud", between="images"),
    "contrast": Corruption(digital.contrast, "digital", "levels pulled towards their mean"),
    "elastic_transform": Corruption(
        elastic.elastic_transform, "digital", "three points moved, and every pixel a little"
    ),
    "pixelate": Corruption(digital.pixelate, "digital", "fewer, larger pixels"),
    "jpeg_compression": Corruption(
        digital.jpeg_compression, "digital", "a low-quality JPEG file", any_layout=True
    ),
    "saturate": Corruption(
        digital.saturate,
        "digital",
        "weaker or stronger colours",
        colour_only=True,
        reach=pixel_alone,
    ),
    "translate": Corruption(
        geometry.translate, "geometry", "shifted along both axes", source="MNIST-C"
    ),
    "rotate": Corruption(geometry.rotate, "geometry", "turned about the centre", source="MNIST-C"),
    "shear": Corruption(geometry.shear, "geometry", "leaning to one side", source="MNIST-C"),
    "scale": Corruption(geometry.scale, "geometry", "smaller, with black around", source="MNIST-C"),
    "occlusion": Corruption(
        geometry.occlusion, "geometry", "a grey patch at a random place", source="ours"
    ),
    "stripe": Corruption(
        strokes.stripe,
        "strokes",
        "columns inverted on both sides",
        source="MNIST-C",
        between="images",
    ),
    "dotted_line": Corruption(
        strokes.dotted_line,
        "strokes",
        "dotted lines from side to side",
        source="MNIST-C",
        between="images",
    ),
    "zigzag": Corruption(
        strokes.zigzag, "strokes", "zigzags from side to side", source="MNIST-C", between="images"
    ),
    "canny_edges": Corruption(
        strokes.canny_edges, "strokes", "towards nothing but the edges", source="MNIST-C"
    ),
    **bar.ROWS,
}

# Published sets are listed whole, in the benchmark's order; `missing` says what is not here. The
# sets of families hold none of C-bar, which has sets of its own.
SETS: Mapping[str, tuple[str, ...]] = {
    "imagenet-c": (
        "gaussian_noise",
        "shot_noise",
        "impulse_noise",
        "defocus_blur",
        "glass_blur",
        "motion_blur",
        "zoom_blur",
        "snow",
        "frost",
        "fog",
        "brightness",
        "contrast",
        "elastic_transform",
        "pixelate",
        "jpeg_compression",
    ),
    "imagenet-c-extra": ("speckle_noise", "gaussian_blur", "spatter", "saturate"),
    "digits": (
        "gaussian_noise",
        "shot_noise",
        "impulse_noise",
        "speckle_noise",
        "gaussian_blur",
        "defocus_blur",
        "glass_blur",
        "motion_blur",
        "zoom_blur",
        "snow",
        "frost",
        "fog",
        "brightness",
        "spatter",
        "contrast",
        "elastic_transform",
        "translate",
        "rotate",
        "shear",
        "scale",
        "occlusion",
    ),
    "mnist-c": (
        "shot_noise",
        "impulse_noise",
        "glass_blur",
        "motion_blur",
        "shear",
        "scale",
        "rotate",
        "brightness",
        "translate",
        "stripe",
        "fog",
        "spatter",
        "dotted_line",
        "zigzag",
        "canny_edges",
    ),
    **bar.SETS,
    "noise": ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise"),
    "blur": ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "gaussian_blur"),
    "weather": ("snow", "frost", "fog", "brightness", "spatter"),
    "digital": ("contrast", "elastic_transform", "pixelate", "jpeg_compression", "saturate"),
    "geometry": ("translate", "rotate", "shear", "scale", "occlusion"),
    "strokes": ("stripe", "dotted_line", "zigzag", "canny_edges"),
}


def names(
    which: str | Sequence[str], preset: str | Preset, *, colour: bool = True
) -> tuple[str, ...]:
    """The corruptions of a set, or of a list of names, that can be made with a preset.

    Args:
        which: A set's name (what cannot be made is left out; `missing` lists it), or a list of
            corruption names (what cannot be made is an error, since it was asked for).
        preset: A preset or its name (for images, `preset_for(images.shape)`).
        colour: Whether the images have three channels.

    Raises:
        ValueError: Unknown set, corruption or preset, or a listed corruption that cannot be made.
    """
    rows = find_preset(preset).rows
    if isinstance(which, str):
        return tuple(
            name
            for name in members(which)
            if name in rows and name in CORRUPTIONS and (colour or not find(name).colour_only)
        )
    for name in which:
        refuse_grey(name, find(name), colour)
        find_preset(preset).constants(name, 1)
    return tuple(which)


def missing(which: str, preset: str | Preset, *, colour: bool = True) -> tuple[str, ...]:
    """The corruptions that a set names and `names(which, preset)` leaves out."""
    available = names(which, preset, colour=colour)
    return tuple(name for name in members(which) if name not in available)


def members(which: str) -> tuple[str, ...]:
    """All names in a set, whether or not they can be made here.

    Raises:
        ValueError: There is no set of that name.
    """
    if which not in SETS:
        raise unknown("set", which, SETS)
    return SETS[which]


def find(name: str) -> Corruption:
    """The catalogue's row of that name.

    Raises:
        ValueError: There is none; the nearest name is offered.
    """
    if name not in CORRUPTIONS:
        raise unknown("corruption", name, CORRUPTIONS)
    return CORRUPTIONS[name]


def refuse_grey(name: str, row: Corruption, colour: bool) -> None:
    """Raise ValueError if a corruption of colours is asked of grey images or bands."""
    if row.colour_only and not colour:
        raise ValueError(f"{name} changes colours; grey images and bands have none: leave it out.")


def name_of(function: Callable[..., object]) -> str | None:
    """The catalogue's name of one of its functions; None for somebody else's."""
    return next((name for name, row in CORRUPTIONS.items() if row.function is function), None)
