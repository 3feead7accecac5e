"""What a search looks at: columns of the examples as codes, numbers cut, vectors clustered."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.schema import ABOUT, GROUP, META
from audit.judgement.groups.divisions import groupings
from audit.judgement.plan import Binned, Plan, Search

CodeArray = NDArray[np.int64]

QUANTILES = (0.2, 0.4, 0.6, 0.8)
FEW_VALUES = 10  # a number that takes no more values than this names them, and is not cut
DIGITS = 4  # of a quantile that becomes an edge: it has to be read
CLUSTER = "embedding cluster"


@dataclass(frozen=True, eq=False)
class Feature:
    """One column that slices are made of.

    Attributes:
        column: Its name, without the prefix.
        names: `column=value` of every value that is frequent enough to be tested.
        codes: int64 [examples], index into `names`; -1 for any other value.
    """

    column: str
    names: tuple[str, ...]
    codes: CodeArray


def features(examples: pd.DataFrame, search: Search, least: int, seed: int) -> list[Feature]:
    """The columns of a search, by name.

    Args:
        examples: The example table.
        search: Columns (None takes every `group_*` and `meta_*`), embeddings, clusters.
        least: Values of fewer examples are left out.
        seed: Seed of the clusters' first centres.

    Raises:
        InputError: A column is not there, or one to be binned is not numeric.
    """
    wanted = _wanted(examples, search)
    frame = pd.DataFrame(
        {
            GROUP + name: values if isinstance(how, Binned) else _categories(values)
            for name, (values, how) in wanted.items()
        }
    )
    cut = tuple(
        how.model_copy(update={"column": name})
        if isinstance(how, Binned)
        else _cut(name, frame[GROUP + name])
        for name, (_, how) in wanted.items()
    )
    found = [
        _frequent(division.label, division.names, division.codes, least)
        for division in groupings(frame, Plan(groups=cut, intersections=1))
    ]
    if search.embeddings is not None:
        names, codes = _clusters(examples, search, seed)
        found.append(_frequent(CLUSTER, names, codes, least))
    return sorted((f for f in found if f.names), key=lambda f: f.column)


def _wanted(examples: pd.DataFrame, search: Search) -> dict[str, tuple[pd.Series, str | Binned]]:
    """Name -> its values, and whether and where they are cut."""
    there = [str(name) for name in examples.columns if str(name).startswith(ABOUT)]
    asked: Sequence[str | Binned] = there if search.columns is None else search.columns
    out: dict[str, tuple[pd.Series, str | Binned]] = {}
    for how in asked:
        name = how.column if isinstance(how, Binned) else how
        column = _column(name, there)
        bare = column.removeprefix(GROUP).removeprefix(META)
        # A group and a piece of metadata of one name are told apart by the prefix of the latter.
        key = column if column.startswith(META) and GROUP + bare in there else bare
        out[key] = examples[column], how
    return out


def _column(name: str, there: Sequence[str]) -> str:
    for column in (name, GROUP + name, META + name):
        if column in there:
            return column
    bare = [column.removeprefix(GROUP).removeprefix(META) for column in there]
    near = get_close_matches(name, bare, n=1, cutoff=0.0)
    hint = f"did you mean {near[0]!r}?" if near else f"add a column `{META}{name}`."
    raise InputError(f"`search` names the column {name!r}, which is not there: {hint}")


def _categories(values: pd.Series) -> pd.Series:
    """Numbers of few values as text; numbers of many stay numbers, to be cut."""
    if not _is_number(values):
        return values
    numbers = values.astype(np.float64)
    if numbers.nunique() > FEW_VALUES:
        return numbers
    text = numbers.map(lambda value: f"{value:g}", na_action="ignore")
    return text.astype(object).where(numbers.notna(), None)


def _is_number(values: pd.Series) -> bool:
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    return bool(numeric and not pd.api.types.is_bool_dtype(values.dtype))


def _cut(name: str, values: pd.Series) -> str | Binned:
    """A number of many values is cut at its quintiles."""
    if not _is_number(values):
        return name
    quantiles = np.quantile(values.dropna().to_numpy(np.float64), QUANTILES)
    edges = sorted({float(f"{edge:.{DIGITS}g}") for edge in quantiles})
    # Two edges are the fewest that bins are made of; one quantile may hold most of the examples.
    if len(edges) < 2:
        edges = [edges[0], float(np.nextafter(edges[0], np.inf))]
    return Binned(column=name, bins=tuple(edges))


def _clusters(
    examples: pd.DataFrame, search: Search, seed: int
) -> tuple[tuple[str, ...], CodeArray]:
    """k-means over the vectors that there are, begun by k-means++; the order of rows is no part."""
    from scipy.cluster.vq import kmeans2  # slow to import, and rarely asked for

    column = str(search.embeddings)
    if column not in examples:
        raise InputError(
            f"`search` names the embeddings {column!r}, and the examples have no such column: add "
            "one that holds a list of numbers for each."
        )
    given = np.flatnonzero(examples[column].notna().to_numpy())
    given = given[np.argsort(examples["example"].to_numpy()[given].astype(str), kind="stable")]
    codes = np.full(len(examples), -1, dtype=np.int64)
    if not given.size:
        return (), codes
    vectors = np.stack([np.asarray(v, dtype=np.float64) for v in examples[column].iloc[given]])
    several = min(search.clusters, len(np.unique(vectors, axis=0)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "One of the clusters is empty")
        generator = np.random.default_rng(seed)
        _, own = kmeans2(vectors, several, iter=20, minit="++", rng=generator)
    codes[given] = own
    return tuple(f"{CLUSTER}={number}" for number in range(several)), codes


def _frequent(column: str, names: Sequence[str], codes: CodeArray, least: int) -> Feature:
    size = np.bincount(codes[codes >= 0], minlength=len(names))
    kept = np.flatnonzero(size >= least)
    place = np.full(len(names) + 1, -1, dtype=np.int64)  # the last is for those of no value
    place[kept] = np.arange(kept.size)
    return Feature(column, tuple(names[i] for i in kept.tolist()), place[codes])
