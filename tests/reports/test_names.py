"""Names that people gave, made fit to print."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import names


def test_what_cannot_be_seen_becomes_a_space():
    assert names.visible("a\nb\tc\x00d") == "a b c d"
    assert names.visible("evil\u202etxt") == "evil txt"
    assert names.visible("a\ud800b") == "a b"
    assert names.visible("") == "(empty)"
    assert names.visible("\u200b") == "(empty)"


def test_letters_of_every_script_stay():
    for name in ("狐", "שלום", "éà", "🦊", "👩\u200d🔬", "<script>"):
        assert names.visible(name) == name


def test_a_long_name_is_cut_and_its_length_is_told():
    name = "x" * 10_000
    assert names.short(name) == "x" * 59 + "…"
    title = names.title(name)
    assert title is not None
    assert title.endswith("… (10,000 characters)")
    assert len(title) < 400
    assert names.title("x" * 61) == "x" * 61
    assert names.title("x" * 60) is None


def test_a_name_from_right_to_left_is_isolated_in_prose():
    assert names.in_prose("שלום") == "\u2068שלום\u2069"
    assert names.in_prose("plain") == "plain"


@pytest.mark.parametrize("name", ["", None])
def test_a_method_without_a_name_is_called_something(name):
    assert names.method_name(name) == "the pruned models"


@given(st.text())
def test_no_control_character_survives(text):
    shown = names.short(text)
    assert 0 < len(shown) <= names.LONGEST
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in shown)
    assert "\u202e" not in shown
