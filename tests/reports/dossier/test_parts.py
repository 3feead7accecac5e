"""Overlap by content, pictures without their past, hidden names, and what a person filled in."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from audit.evidence.errors import InputError
from reports.dossier import person
from reports.dossier.identities import KEY_FILE, dossier_key, hide, scrub
from reports.dossier.images import stripped
from reports.dossier.overlap import overlap
from reports.dossier.papers import as_csv
from reports.dossier.release import shown_overlap
from reports.dossier.subject import Sharing, open_subject
from tests.reports import sample


def subject(run, **sharing):
    return open_subject(run, Sharing(**sharing))


def with_store(tmp_path, **splits):
    """A run beside a store that holds these inputs."""
    run = sample.run_folder(tmp_path / "runs" / "digits", pictures=False)
    (run / "manifest.json").write_text(json.dumps({"state": {"evidence": "gathered-1"}}))
    recipe = {"class": "Data", "source": "digits"}
    for name, about in (("gathered-1", {"data": recipe}), ("data-1", recipe), ("data-2", {})):
        folder = tmp_path / "runs" / ".store" / name
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps({"recipe": about}))
    for split, inputs in splits.items():
        np.save(tmp_path / f"runs/.store/data-1/{split}-inputs.npy", np.array(inputs))
        np.save(tmp_path / f"runs/.store/data-2/{split}-inputs.npy", np.zeros((2, 2)))
    return run


def test_overlap_is_counted_by_content(tmp_path):
    run = with_store(
        tmp_path, train=[[1, 2], [3, 4], [3, 4]], test=[[3, 4], [5, 6], [3, 4]], validation=[[1, 2]]
    )
    found = overlap(subject(run))
    assert found.sizes == {"train": (3, 2), "validation": (1, 1), "test": (3, 2)}
    counts = {(p.first, p.second): (p.shared, p.examples) for p in found.pairs}
    assert counts == {
        ("train", "validation"): (1, 1),
        ("train", "test"): (1, 2),
        ("validation", "test"): (0, 0),
    }
    shared = shown_overlap(subject(run, aggregate_only=True), found)
    assert {(p.first, p.second): p.examples for p in shared.pairs} == {
        ("train", "validation"): None,
        ("train", "test"): None,
        ("validation", "test"): 0,
    }


def test_overlap_of_texts_in_the_table_itself(tmp_path):
    run = sample.run_folder(tmp_path / "run", pictures=False)
    frame = pd.DataFrame(
        {"example": list("abcd"), "split": ["train", "train", "test", "test"], "label": 0,
         "text": ["one", "two", "two", "three"]}
    )  # fmt: skip
    frame.to_parquet(run / "evidence/examples.parquet")
    (pair,) = overlap(subject(run)).pairs
    assert (pair.first, pair.second, pair.examples) == ("train", "test", 1)


def test_overlap_is_not_asked_where_there_are_no_inputs(tmp_path):
    found = overlap(subject(sample.run_folder(tmp_path / "run", pictures=False)))
    assert not found.asked
    assert "store" in found.reason


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_pictures_lose_everything_but_their_pixels():
    clean = sample.digit(3, 0)
    exif = chunk(b"eXIf", b"II*\x00GPS 52.5 N") + chunk(b"tEXt", b"Author\x00A. Person")
    dirty = clean[:33] + exif + clean[33:] + b"after the end"
    assert stripped(dirty) == clean
    assert stripped(clean) == clean
    assert stripped(b"\xff\xd8\xff\xe1 JPEG with EXIF") is None
    assert stripped(clean[:-6]) is None
    assert stripped(None) is None


def test_a_photograph_leaves_no_place_or_camera_behind(tmp_path):
    """A real JPEG with GPS in its EXIF, as it is and as a PNG that keeps the EXIF."""
    import base64
    import io
    import re

    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("huggingface_hub")
    from reports.dossier import write_dossier

    exif = image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    picture = image.fromarray(np.full((32, 32, 3), 90, dtype=np.uint8))
    jpeg, png = io.BytesIO(), io.BytesIO()
    picture.save(jpeg, "JPEG", exif=exif)
    picture.save(png, "PNG", exif=exif)
    assert b"SecretCamera" in jpeg.getvalue()
    assert b"SecretCamera" in png.getvalue()
    run = sample.run_folder(tmp_path / "run")
    path = run / "evidence/examples.parquet"
    table = pq.read_table(path)
    two = [jpeg.getvalue() if i % 2 else png.getvalue() for i in range(len(table))]
    place = table.column_names.index("thumbnail")
    pq.write_table(table.set_column(place, "thumbnail", pa.array(two, pa.binary())), path)
    page = (write_dossier(run).folder / "dossier.html").read_text(encoding="utf-8")
    shown = [base64.b64decode(each) for each in re.findall(r"base64,([A-Za-z0-9+/=]+)", page)]
    assert any(each.startswith(b"\x89PNG") for each in shown)
    for each in shown:
        assert b"SecretCamera" not in each
        assert not image.open(io.BytesIO(each)).getexif()


def test_pictures_are_the_same_pixels():
    image = pytest.importorskip("PIL.Image")
    import io

    clean = sample.digit(7, 1)
    dirty = clean[:33] + chunk(b"eXIf", b"II*\x00") + clean[33:]
    pixels = [np.asarray(image.open(io.BytesIO(data))) for data in (clean, stripped(dirty))]
    assert (pixels[0] == pixels[1]).all()


def test_names_are_hidden_under_a_key_of_their_own(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    key, other = dossier_key(tmp_path / "a"), dossier_key(tmp_path / "b")
    assert key == dossier_key(tmp_path / "a")
    assert hide(key, "patient-1") == hide(key, "patient-1")
    assert len({hide(key, "patient-1"), hide(key, "patient-2"), hide(other, "patient-1")}) == 3
    assert hide(key, "a", "reviewer") != hide(key, "a")
    (tmp_path / "a" / KEY_FILE).write_text("zz")
    with pytest.raises(InputError, match="is no key"):
        dossier_key(tmp_path / "a")


def test_names_in_texts_are_hidden_and_numbers_are_not():
    key = bytes(32)
    text = scrub(key, "Row patient-1 (and 'patient-2'.) of 17 was patient-10.", ["patient-1", 17])
    assert "patient-1 " not in text
    assert "patient-2" in text
    assert "17" in text
    assert "patient-10." in text


def test_cells_are_no_formulas():
    text = as_csv(["name"], [["=HYPERLINK(1)"], ["+1"], [-1.5], ["a\nb"], [None]])
    assert text.splitlines() == ["name", "'=HYPERLINK(1)", "'+1", "-1.5", "a b", '""']


@pytest.mark.parametrize("key", person.SECTIONS)
def test_a_blank_section_waits_and_a_written_one_does_not(key, tmp_path):
    blank = person.blank(key)
    assert not person.section(key, blank.encode(), tmp_path).filled
    assert not person.section(key, None, tmp_path).filled
    mine = "\n".join(line for line in blank.splitlines() if not line.startswith(">"))
    assert not person.section(key, mine.encode(), tmp_path).filled
    found = person.section(key, (mine.replace("Date:", "Date: today") + "\nx").encode(), tmp_path)
    assert (found.text, found.by, found.date) == ("x", None, "today")
    with pytest.raises(InputError, match="UTF-8"):
        person.section(key, b"\xff", tmp_path)


def test_links_in_the_persons_folder_are_refused(tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "person").mkdir()
    (tmp_path / "person/contact.md").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="is a link"):
        person.kept(tmp_path / "person")
