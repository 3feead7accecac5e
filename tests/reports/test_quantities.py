"""Numbers as readers see them: by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import quantities as q

THIN = "\u202f"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.979, f"97.9{THIN}%"),
        (1.0, f"100.0{THIN}%"),
        (0.0, f"0.0{THIN}%"),
        (0.0004, f"0.04{THIN}%"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_a_level_reads_in_percent(value, text):
    assert q.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-0.012, "−1.2 points"),
        (0.05, "+5.0 points"),
        (0.01, "+1.0 point"),
        (-0.01, "−1.0 point"),
        (0.0, "0.0 points"),
        (-0.0, "0.0 points"),
        (-0.00001, "0.00 points"),
        (None, "–"),
    ],
)
def test_a_change_of_a_rate_reads_in_points(value, text):
    assert q.change(value, "fraction") == text


def test_every_unit_has_its_own_form():
    assert q.level(0.9, "fraction") == f"90.0{THIN}%"
    assert q.level(0.95, "sparsity") == "0.95"
    assert q.level(0.64944, "sparsity") == "0.649"
    assert q.level(1234.0, "count") == "1,234"
    assert q.level(5.25, "count") == "5.2"
    assert q.level(1.5, "ratio") == "1.50"
    assert q.level(0.0813, "nats") == "0.081"
    assert q.bare_change(-3.0, "count") == "−3"
    assert q.bare_change(0.125, "nats") == "+0.125"
    assert q.size_of_change(-0.05, "fraction") == "5.0 points"
    assert q.size_of_change(-3.0, "count") == "3"


def test_an_interval_needs_both_ends():
    assert q.interval(-0.071, -0.029, "fraction") == "−7.1 to −2.9"
    assert q.interval(-0.071, None, "fraction") == "–"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0, f"<{THIN}0.001"),
        (0.00099, f"<{THIN}0.001"),
        (0.001, "0.001"),
        (0.0144, "0.014"),
        (0.314, "0.31"),
        (1.0, "1.00"),
        (None, "–"),
    ],
)
def test_a_p_value_is_never_zero(p, text):
    assert q.probability(p) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, f"0{THIN}B"),
        (999, f"999{THIN}B"),
        (18_088, f"18.1{THIN}kB"),
        (1_500_000, f"1.5{THIN}MB"),
        (None, "–"),
    ],
)
def test_bytes_go_by_powers_of_a_thousand(size, text):
    assert q.size(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (9.75, f"9.8{THIN}s"),
        (75, f"1{THIN}min 15{THIN}s"),
        (7260, f"2{THIN}h 1{THIN}min"),
        (59.99, f"60.0{THIN}s"),
        (None, "–"),
    ],
)
def test_durations(seconds, text):
    assert q.duration(seconds) == text


@given(st.floats(allow_nan=True, allow_infinity=True, width=32) | st.none())
def test_no_number_breaks_and_none_reads_as_negative_zero(value):
    for unit in ("fraction", "count", "sparsity", "nats", "ratio", "distance"):
        for show in (q.level, q.change, q.bare_change, q.size_of_change):
            text = show(value, unit)
            assert "nan" not in text
            assert "inf" not in text
            digits = text.replace(THIN, "").rstrip("% points").replace(",", "")
            if digits.startswith("−"):
                assert float(digits[1:]) != 0
