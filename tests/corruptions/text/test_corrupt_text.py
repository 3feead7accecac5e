"""Texts under corruption: what changes, what never does, and that texts do not heed each other."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corruptions import TEXT_CORRUPTIONS, TEXT_SETS, corrupt_text
from corruptions.text.constants import ROWS
from corruptions.text.pieces import characters, kept, tokens
from corruptions.text.shapes import KEYBOARD, LOOKALIKES, MISREAD, MISREAD_PAIRS

NAMES = sorted(TEXT_CORRUPTIONS)
REVIEW = (
    "The modern film, which I don't think was cool (really), runs for 3.14 hours; still, nobody "
    "would call it a failure. Children laughed, their parents did not - and the clerk at the "
    "counter said: Never again! Burning wooden villages look gorgeous in colour, Mr. Miller."
)
LATIN = [REVIEW, REVIEW.upper(), REVIEW.lower(), *REVIEW.split(". "), REVIEW * 3]
ODD = [
    "",
    "   ",
    "\n\t",
    "?",
    ":-)",
    "never",
    "42",
    "Füße e\u0301te\u0301 naïve",
    "👩‍👩‍👧 👍🏽 🇩🇪🇫🇷 ❤️",
    "한국어 \u1112\u1161\u11ab नमस्ते",
    "我 不 喜欢 这 部 电影",
    "مرحبا بالعالم",
    "lone \ud800 surrogate",
]


def distance(one, other):
    """Levenshtein's, by its definition."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        last, row = row, [place]
        for at, against in enumerate(other, 1):
            row.append(min(last[at] + 1, row[at - 1] + 1, last[at - 1] + (letter != against)))
    return row[-1]


@pytest.mark.parametrize("name", NAMES)
def test_severity_0_is_the_identity(name):
    assert corrupt_text(LATIN + ODD, name, 0) == LATIN + ODD


@pytest.mark.parametrize("name", NAMES)
def test_texts_do_not_heed_each_other_nor_their_order(name):
    texts = LATIN + ODD
    ids = [f"t{i}" for i in range(len(texts))]
    whole = corrupt_text(texts, name, 4, seed=3, ids=ids)
    for some in ([5, 2, 0], [len(texts) - 1], [1]):
        part = corrupt_text([texts[i] for i in some], name, 4, seed=3, ids=[ids[i] for i in some])
        assert part == [whole[i] for i in some]


@pytest.mark.parametrize("name", NAMES)
def test_seeds_and_ids_draw_anew(name):
    one, other = corrupt_text([REVIEW, REVIEW], name, 3)
    assert one != other
    assert corrupt_text([REVIEW], name, 3, seed=1) != [one]


@pytest.mark.parametrize("name", NAMES)
def test_the_edit_distance_grows_with_every_step(name):
    texts = [REVIEW[start : start + 90] for start in range(0, 60, 3)]
    means = [
        np.mean([distance(a, b) for a, b in zip(texts, made, strict=True)])
        for made in (corrupt_text(texts, name, level) for level in (0, 1, 1.5, 2, 3, 4, 4.5, 5))
    ]
    assert (np.diff(means) > 0).all(), means


def test_five_severities_each():
    assert set(ROWS) == set(TEXT_CORRUPTIONS) == set(TEXT_SETS["text"])
    assert {len(row) for row in ROWS.values()} == {5}


# --- what labels hang on --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_numbers_and_negations_stay(name, severity):
    """In their order; casing is let change, and marks around them."""

    def held(text):
        words = (word.strip(".,;:!()") for word in text.casefold().split())
        return [word for word in words if kept(word) and not _misread(word)]

    def _misread(word):  # a letter read as a digit makes no number
        return name == "ocr_errors" and any(map(str.isalpha, word)) and any(map(str.isdigit, word))

    texts = [
        *LATIN,
        "note now know on is so knot nog",
        "Not 5 but 6, and no 1990s isn’t not-so-bad",
    ]
    for text, made in zip(texts, corrupt_text(texts, name, severity), strict=True):
        if name == "ocr_errors":
            assert [w for w in held(made) if w in held(text)] == held(text)
        else:
            assert held(made) == held(text)


@pytest.mark.parametrize(
    ("word", "stays"),
    [
        *[(w, True) for w in ("not", "NOT,", "Don't", "don’t", "no-one", "cannot!", "3.14", "B2")],
        *[(w, False) for w in ("note", "know", "noted", "ten", "", "-", "nun", "want")],
    ],
)
def test_which_words_are_kept(word, stays):
    assert kept(word) is stays


def test_no_word_becomes_a_negation_or_a_number():
    texts = ["note now know knot is so nog noe"] * 400
    for name in ("character_drop", "character_swap", "keyboard_typos", "ocr_errors"):
        made = {word for text in corrupt_text(texts, name, 5) for word in text.split()}
        assert len(made) > 8, name
        assert not made & {"no", "not", "nor", "non", "15", "50", "5", "1"}, name


def test_not_every_word_is_dropped():
    texts = ["alpha", "alpha beta", " alpha ", "alpha\nbeta gamma"] * 200
    for text, made in zip(texts, corrupt_text(texts, "word_drop", 5), strict=True):
        assert made.split()
        assert set(made.split()) <= set(text.split())
    assert {"alpha", "beta", "alpha beta"} == {
        made
        for text, made in zip(texts, corrupt_text(texts, "word_drop", 5), strict=True)
        if text == "alpha beta"
    }


def test_dropped_words_leave_single_blanks():
    made = corrupt_text(["one two three four five six seven"] * 300, "word_drop", 5)
    assert not any("  " in text or text != text.strip() for text in made)


def test_marks_inside_words_and_faces_stay():
    text = "It's 3.14 (or .5), e.g. :-) well-known; say -2!"
    made = corrupt_text([text] * 50, "punctuation", 5)
    for one in made:
        for whole in ("It's", "3.14", ".5", "e.g", ":-)", "well-known", "-2"):
            assert whole in one
        assert not set("();!") & set(one.replace(":-)", "")) - {";"}


# --- by hand --------------------------------------------------------------------------------------


def single(name, texts, severity=5):
    """Words that each corruption makes of one word, over many draws."""
    return set(corrupt_text([texts] * 600, name, severity))


def test_keyboard_neighbours_in_the_case_that_was_typed():
    assert single("keyboard_typos", "q") == {"q", "w", "a"}
    assert single("keyboard_typos", "Q") == {"Q", "W", "A"}
    assert single("keyboard_typos", "é") == {"é"}


def test_shapes_that_ocr_confuses():
    assert single("ocr_errors", "rn") == {"rn", "m", "rri"}
    assert single("ocr_errors", "lamb") >= {"lamb", "1amb", "Iamb", "larnb", "lam6"}
    assert single("ocr_errors", "10 O0") == {"10 O0"}


def test_a_dropped_a_swapped_and_a_repeated_letter():
    assert single("character_drop", "ab") == {"ab", "a", "b"}
    assert single("character_swap", "ab") == {"ab", "ba"}
    assert single("character_swap", "aa") == {"aa"}
    assert single("character_repeat", "ab") == {"ab", "aab", "abb", "aabb"}


def test_casing_by_words():
    assert single("casing", "word", 3) == {"word", "WORD"}
    assert single("casing", "WORD Straße") == {"word STRAßE"}


def test_homoglyphs_look_the_same_and_are_other_letters():
    assert single("homoglyphs", "o") == {"o", "\u043e", "\u03bf"}
    for latin, others in LOOKALIKES.items():
        for other in others:
            script = unicodedata.name(other).split()[0]
            assert script in ("CYRILLIC", "GREEK")
            assert latin.isupper() == other.isupper()


def test_tables_of_letters_are_sound():
    """Neighbours are mutual; nothing is read as itself."""
    for key, near in KEYBOARD.items():
        assert key not in near
        assert all(key in KEYBOARD[other] for other in near), key
    for table in (MISREAD, MISREAD_PAIRS):
        assert all(one not in options for one, options in table.items())


# --- letters as people see them -------------------------------------------------------------------


def test_marks_and_joined_signs_stay_together():
    assert characters("e\u0301te\u0301") == ["e\u0301", "t", "e\u0301"]
    assert characters("👩‍👩‍👧a👍🏽") == ["👩‍👩‍👧", "a", "👍🏽"]
    assert characters("🇩🇪🇫🇷") == ["🇩🇪", "🇫🇷"]
    assert characters("\u1112\u1161\u11ab\u1100\u1161") == ["\u1112\u1161\u11ab", "\u1100\u1161"]
    assert characters("\u0301a") == ["\u0301", "a"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(NAMES), st.floats(1, 5))
def test_any_text_at_all(text, name, severity):
    (made,) = corrupt_text([text], name, severity)
    assert isinstance(made, str)
    assert "".join(tokens(text)) == text
    assert "".join(characters(text)) == text
    if text.split():
        assert made.split()
    # No mark is left without the letter it was on, nor put on another.
    marked = {c for c in characters(text) if len(c) > 1}
    left = {c for word in made.split() for c in characters(word) if len(c) > 1}
    if name not in ("casing", "homoglyphs"):
        assert left <= marked | {c for word in text.split() for c in characters(word)}


@pytest.mark.parametrize("name", NAMES)
def test_odd_texts(name):
    made = corrupt_text(ODD, name, 5)
    assert [bool(one.split()) for one in made] == [bool(one.split()) for one in ODD]
    assert made[:3] == ODD[:3]


def test_no_texts():
    assert corrupt_text([], "casing", 3) == []


def test_catalogue_functions_are_names_too_and_arrays_are_lists():
    function = TEXT_CORRUPTIONS["casing"].function
    listed = corrupt_text(LATIN, "casing", 2)
    assert corrupt_text(np.array(LATIN, dtype=object), function, 2) == listed


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "fragments"),
    [
        ({"name": "keyboard_typo"}, ValueError, ["'keyboard_typos'"]),
        ({"name": 3}, TypeError, ["corruption of texts"]),
        ({"texts": "one text"}, TypeError, ["pass [text]"]),
        ({"texts": 3}, TypeError, ["int"]),
        ({"texts": ["a", None]}, TypeError, ["text 1 is None"]),
        ({"severity": 0.5}, ValueError, ["severity 0.5", "1 to 5"]),
        ({"seed": "x"}, TypeError, ["seed"]),
        ({"ids": [1]}, ValueError, ["1 ids for 2 texts"]),
        ({"ids": ["a", "a"]}, ValueError, ["'a' is given twice"]),
    ],
)
def test_what_cannot_be_meant(change, error, fragments):
    asked = {"texts": ["a", "b"], "name": "casing", "severity": 1, **change}
    with pytest.raises(error) as caught:
        corrupt_text(**asked)
    text = str(caught.value)
    assert all(fragment in text for fragment in fragments), text
    assert "\n" not in text
