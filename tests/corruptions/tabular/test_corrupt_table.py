"""Tables under corruption: what changes, what never does, and that rows do not heed each other."""

import numpy as np
import pandas as pd
import pytest

from corruptions import TABLE_CORRUPTIONS, TABLE_SETS, corrupt_table
from corruptions.tabular import measure
from corruptions.tabular.constants import ROWS

NUMBERS = ["age", "pay", "byte", "narrow", "nullable", "large", "arrow"]
NAMES = sorted(TABLE_CORRUPTIONS)


def table(rows=600, seed=0):
    draws = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": draws.integers(17, 90, rows),
            "pay": np.where(draws.random(rows) < 0.9, 0, draws.lognormal(8, 1, rows)),
            "byte": draws.integers(0, 256, rows).astype(np.uint8),
            "narrow": draws.normal(size=rows).astype(np.float32),
            "nullable": pd.array(draws.integers(0, 50, rows), dtype="Int64"),
            "large": draws.integers(-(2**62), 2**62, rows),
            "arrow": pd.array(draws.integers(0, 9, rows), dtype="int64[pyarrow]"),
            "yes": draws.random(rows) < 0.3,
            "perhaps": pd.array(draws.random(rows) < 0.3, dtype="boolean"),
            "text": draws.choice(["x", "y", "z"], rows, p=[0.6, 0.3, 0.1]),
            "category": pd.Categorical(draws.choice(["p", "q"], rows), ["p", "q", "never"]),
            "object": np.array(draws.choice(["k", "l"], rows), dtype=object),
            "day": pd.date_range("2020", periods=rows),
            "label": draws.integers(0, 2, rows),
        },
        index=pd.Index(np.arange(rows) * 3 + 7, name="row"),
    )
    frame.loc[frame.index[3], "narrow"] = np.nan
    frame.loc[frame.index[4], "text"] = None
    frame.loc[frame.index[5], "nullable"] = pd.NA
    frame.loc[frame.index[6], "pay"] = np.inf
    return frame


def changed(before, after):
    """bool [rows, columns], which cells differ; two blanks do not."""
    cells = [(one.astype(object).to_numpy(), one.isna().to_numpy()) for one in (before, after)]
    (old, old_blank), (new, new_blank) = cells
    blank = old_blank | new_blank
    differs = np.where(blank, old_blank != new_blank, False)
    differs[~blank] = old[~blank] != new[~blank]
    return differs


@pytest.mark.parametrize("name", NAMES)
def test_severity_0_is_the_identity(name):
    frame = table()
    pd.testing.assert_frame_equal(corrupt_table(frame, name, 0), frame)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_given_is_not_written_to(name):
    frame, kept = table(), table()
    corrupt_table(frame, name, 5)
    pd.testing.assert_frame_equal(frame, kept)


@pytest.mark.parametrize("name", NAMES)
def test_only_columns_of_a_fitting_kind_change_and_never_the_label(name):
    frame = table()
    after = corrupt_table(frame, name, 5)
    hit = changed(frame, after).any(axis=0)
    entries = {"yes", "perhaps", "text", "category", "object"}
    fits = {"category_swap": entries, "missing_values": {*NUMBERS, *entries, "day"}}
    assert {c for c, h in zip(frame, hit, strict=True) if h} == fits.get(name, set(NUMBERS))
    pd.testing.assert_series_equal(after["label"], frame["label"])
    assert list(after) == list(frame)
    assert after.index.equals(frame.index)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"missing_values"}))
def test_types_stay(name):
    frame = table()
    assert corrupt_table(frame, name, 5).dtypes.equals(frame.dtypes)


def test_only_integers_and_booleans_become_nullable_where_values_go_missing():
    """NumPy's integers and booleans have no blank; at every severity alike, whatever is drawn."""
    frame = table()
    after = corrupt_table(frame.iloc[:1], "missing_values", 1)
    types = {c: (str(frame[c].dtype), str(after[c].dtype)) for c in frame}
    assert {c: t for c, t in types.items() if t[0] != t[1]} == {
        "age": ("int64", "Int64"),
        "byte": ("uint8", "UInt8"),
        "large": ("int64", "Int64"),
        "yes": ("bool", "boolean"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_rows_do_not_heed_each_other_nor_their_order_nor_that_of_the_columns(name):
    frame, draws = table(), np.random.default_rng(1)
    ids, reference = [f"r{i}" for i in range(len(frame))], measure(table(seed=2))
    whole = corrupt_table(frame, name, 3, seed=4, ids=ids, reference=reference)
    rows, columns = draws.permutation(len(frame))[:50], draws.permutation(frame.columns)
    some = frame.iloc[rows][columns]
    part = corrupt_table(some, name, 3, seed=4, ids=[ids[i] for i in rows], reference=reference)
    pd.testing.assert_frame_equal(part, whole.iloc[rows][columns])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"saturation"}))
def test_seeds_and_columns_draw_anew(name):
    """Saturation draws nothing."""
    column = "text" if name == "category_swap" else "age"
    frame = table()[[column]].assign(twin=lambda f: f[column])
    reference = measure(frame)
    one, other = (corrupt_table(frame, name, 5, seed=s, reference=reference) for s in (0, 1))
    assert not one.equals(other)
    assert not one[column].equals(one["twin"])


@pytest.mark.parametrize("name", NAMES)
def test_more_cells_change_and_farther_with_every_step(name):
    """The distance of the catalogue, strictly, at half steps too; what is hit stays hit."""
    frame = table().drop(columns=["large", "narrow"])
    frame["height"] = np.random.default_rng(3).normal(170, 10, len(frame))
    reference, hit = measure(frame), np.zeros((len(frame), frame.shape[1]), bool)
    distances = []
    for severity in (1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5):
        after = corrupt_table(frame, name, severity, reference=reference)
        now = changed(frame, after)
        if name not in ("numeric_noise", "category_swap"):  # these may draw what was there
            assert (now | ~hit).all()
        hit = now
        if "mean absolute change" in TABLE_CORRUPTIONS[name].distance:
            distances.append((after["height"] - frame["height"]).abs().mean())
        else:
            distances.append(now.mean())
    assert (np.diff([0.0, *distances]) > 0).all(), distances


def test_five_severities_each():
    assert set(ROWS) == set(TABLE_CORRUPTIONS) == set(TABLE_SETS["tabular"])
    assert {len(row) for row in ROWS.values()} == {5}


# --- by hand ------------------------------------------------------------------------------------


def test_noise_is_scaled_by_the_spread_of_the_reference():
    """Quartiles of 0..100 are 25 and 75: a spread of 50/1.349 = 37.06; 0.4 of it at severity 3."""
    frame = pd.DataFrame({"v": np.full(20_000, 500.0)})
    reference = pd.DataFrame({"v": np.arange(101.0)})
    after = corrupt_table(frame, "numeric_noise", 3, reference=reference)["v"]
    assert after.mean() == pytest.approx(500, abs=0.4)
    assert after.std() == pytest.approx(0.4 * 37.065, rel=0.02)


def test_an_outlier_does_not_stretch_the_spread():
    values = np.arange(101.0)
    reference = measure(pd.DataFrame({"v": np.r_[values, 1e9]}))
    assert reference.columns["v"].spread == pytest.approx(37.06, rel=0.02)


def test_a_column_that_is_mostly_zero_has_the_standard_deviation_and_a_constant_none():
    frame = pd.DataFrame({"zeros": np.r_[np.zeros(99), 100.0], "constant": np.ones(100)})
    reference = measure(frame)
    assert reference.columns["zeros"].spread == pytest.approx(np.sqrt(0.01 * 0.99) * 100)
    assert reference.columns["constant"].spread == 0
    after = corrupt_table(frame, "numeric_noise", 5)
    assert (after["constant"] == 1).all()


def test_wrong_units_are_ten_times_as_large():
    frame = pd.DataFrame({"v": np.arange(1, 10_001)})
    ratio = corrupt_table(frame, "unit_error", 4)["v"] / frame["v"]
    assert set(ratio) == {1.0, 10.0}
    assert (ratio == 10).mean() == pytest.approx(0.12, abs=0.01)


def test_integers_end_where_their_type_does():
    frame = pd.DataFrame(
        {"byte": np.array([200, 7], np.uint8), "large": [2**62, -(2**62)], "signed": [2**60, 0]}
    )
    hit = corrupt_table(pd.concat([frame] * 200, ignore_index=True), "unit_error", 5)
    assert set(hit["byte"]) == {200, 255, 7, 70}
    assert set(hit["large"]) == {2**62, 2**63 - 1, -(2**62), -(2**63)}
    assert hit.dtypes.equals(frame.dtypes)


def test_out_of_range_is_past_the_nearer_end():
    """The range of the reference is 0 to 10; severity 5 sets a fifth of cells 0.5 ranges beyond."""
    frame = pd.DataFrame({"v": np.tile([2.0, 5.0, 40.0], 2000)})
    after = corrupt_table(frame, "out_of_range", 5, reference=pd.DataFrame({"v": [0.0, 10.0]}))
    found = after["v"].to_numpy().reshape(-1, 3)
    assert [sorted(set(found[:, at])) for at in range(3)] == [[-5, 2], [5, 15], [40]]
    assert (found[:, :2] != [2, 5]).mean() == pytest.approx(0.2, abs=0.02)


def test_a_gauge_saturates_at_percentiles_of_the_reference():
    """Ten percent of 0..100 lie beyond 10 and 90."""
    frame = pd.DataFrame({"v": [-50.0, 3, 10, 50, 89.5, 97, np.nan, np.inf]})
    after = corrupt_table(frame, "saturation", 3, reference=pd.DataFrame({"v": np.arange(101)}))
    assert after["v"].tolist()[:6] == [10, 10, 10, 50, 89.5, 90]
    assert np.isnan(after["v"][6])
    assert np.isinf(after["v"][7])


def test_swapped_categories_follow_the_marginal_of_the_reference():
    """All rows are x; half are drawn anew from 20 % x, 80 % y, so 40 % become y."""
    frame = pd.DataFrame({"v": ["x"] * 20_000})
    reference = pd.DataFrame({"v": ["x", "y", "y", "y", "y", None]})
    after = corrupt_table(frame, "category_swap", 5, reference=reference)["v"]
    assert (after == "y").mean() == pytest.approx(0.4, abs=0.01)


def test_categories_stay_among_those_of_the_column():
    """The reference knows a category that the column cannot hold."""
    frame = pd.DataFrame({"v": pd.Categorical(["p", "q"] * 50, categories=["p", "q"])})
    reference = pd.DataFrame({"v": ["p", "q", *["z"] * 50]})
    after = corrupt_table(frame, "category_swap", 5, reference=reference)["v"]
    assert after.dtype == frame["v"].dtype
    assert after.notna().all()


def test_what_is_missing_is_as_the_type_has_it():
    after = corrupt_table(table(), "missing_values", 5)
    assert after["day"].isna().any()
    assert after["category"].cat.categories.tolist() == ["p", "q", "never"]
    assert after[NUMBERS].isna().mean().to_numpy() == pytest.approx(0.5, abs=0.08)


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows(name, rows):
    frame = table().iloc[:rows]
    after = corrupt_table(frame, name, 5, reference=table())
    assert after.shape == frame.shape


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_nothing(name):
    frame = pd.DataFrame({"n": [np.nan] * 4, "o": pd.Series([None] * 4, dtype=object), "a": 1})
    frame["t"] = "x"
    after = corrupt_table(frame, name, 5)
    assert after[["n", "o"]].isna().all().all()


def test_a_batch_without_values_is_read_as_the_reference_has_it():
    batch = pd.DataFrame({"n": pd.Series([None, None], dtype=object), "a": [1, 2]})
    reference = pd.DataFrame({"n": [1.0, 2.0], "a": [1, 2]})
    assert corrupt_table(batch, "numeric_noise", 3, reference=reference)["n"].isna().all()


def test_columns_may_be_chosen():
    frame = table()
    after = corrupt_table(frame, "numeric_noise", 5, columns=["age"])
    assert changed(frame, after).any(axis=0).tolist() == [c == "age" for c in frame]


def test_another_label_and_none():
    frame = table()
    after = corrupt_table(frame, "numeric_noise", 5, label="age")
    assert after["age"].equals(frame["age"])
    assert not after["label"].equals(frame["label"])
    every = corrupt_table(frame, "numeric_noise", 5, label=None)
    assert not every["label"].equals(frame["label"])


def test_catalogue_functions_are_names_too():
    frame = table()
    row = TABLE_CORRUPTIONS["unit_error"]
    pd.testing.assert_frame_equal(
        corrupt_table(frame, row.function, 2), corrupt_table(frame, "unit_error", 2)
    )


# --- a function of one's own ---------------------------------------------------------------------


def shifted(frame, severity, *, seed, ids):
    return frame.assign(age=frame["age"] + int(severity))


def test_a_function_of_ones_own():
    frame = table()
    after = corrupt_table(frame, shifted, 3)
    assert (after["age"] == frame["age"] + 3).all()
    pd.testing.assert_frame_equal(after.drop(columns="age"), frame.drop(columns="age"))


def spoilt(frame, severity, *, seed, ids):
    frame.iloc[0, 0] = -1
    return frame.copy()


@pytest.mark.parametrize(
    ("function", "error", "complaint"),
    [
        (lambda f, s, *, seed, ids: f + 1, ValueError, "at severity 0"),
        (lambda f, s, *, seed, ids: f.to_numpy(), TypeError, "ndarray"),
        (lambda f, s, *, seed, ids: f.iloc[::-1], ValueError, "other rows or columns"),
        (lambda f, s, *, seed, ids: f * (1 if s == 0 else len(f)), ValueError, "another batch"),
        (
            lambda f, s, *, seed, ids: spoilt(f, s, seed=seed, ids=ids) if s else f,
            ValueError,
            "writes",
        ),
    ],
)
def test_promises_that_a_function_breaks(function, error, complaint):
    with pytest.raises(error, match=complaint):
        corrupt_table(pd.DataFrame({"a": np.arange(40.0)}), function, 3)


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "fragments"),
    [
        ({"name": "numeric_nose"}, ValueError, ["numeric_noise"]),
        ({"name": 3}, TypeError, ["a name or a function"]),
        ({"severity": 6}, ValueError, ["severity 6", "1 to 5"]),
        ({"severity": "3"}, TypeError, ["severity must be a number"]),
        ({"seed": 0.5}, TypeError, ["seed"]),
        ({"ids": [1, 2]}, ValueError, ["2 ids for 600 rows"]),
        ({"ids": [1] * 600}, ValueError, ["id 1 is given twice"]),
        ({"frame": [[1]]}, TypeError, ["pandas.DataFrame", "list"]),
        ({"columns": ["aged"]}, ValueError, ["'aged'", "'age'"]),
        ({"columns": ["label"]}, ValueError, ["'label' is the label", "never changed"]),
        ({"columns": "age"}, TypeError, ["['age']"]),
        ({"columns": ["text"]}, ValueError, ["numeric_noise changes columns of kind number"]),
        ({"label": "labels"}, ValueError, ["label column 'labels'", "'label'"]),
        ({"reference": 3}, TypeError, ["pandas.DataFrame", "int"]),
        ({"reference": pd.DataFrame({"age": [1]})}, ValueError, ["column of the reference"]),
        (
            {"reference": pd.DataFrame({"age": ["1"]}), "columns": ["age"]},
            ValueError,
            ["'age' is of kind number in the table and of kind category in the reference"],
        ),
    ],
)
def test_what_cannot_be_meant(change, error, fragments):
    asked = {"frame": table(), "name": "numeric_noise", "severity": 1, **change}
    with pytest.raises(error) as caught:
        corrupt_table(**asked)
    text = str(caught.value)
    assert all(fragment in text for fragment in fragments), text
    assert "\n" not in text
    assert text.endswith((".", ")."))


def test_two_columns_of_one_name():
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    with pytest.raises(ValueError, match="the column 'a' is there twice"):
        corrupt_table(frame, "numeric_noise", 1)


def test_sparse_columns_are_only_blanked():
    sparse = pd.arrays.SparseArray(np.arange(40) % 3 * 1.0)
    frame = pd.DataFrame({"dense": np.arange(40.0), "sparse": sparse})
    noisy = corrupt_table(frame, "numeric_noise", 3)
    assert noisy["sparse"].equals(frame["sparse"])
    assert not noisy["dense"].equals(frame["dense"])
    assert corrupt_table(frame, "missing_values", 5)["sparse"].isna().any()
