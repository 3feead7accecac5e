"""A dossier of a small run: what is in it, what is not, and what a person keeps."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from audit.evidence.errors import AuditError, InputError, StoreError
from reports.cli.app import build
from reports.cli.exits import INPUT
from reports.dossier import Sharing, identities, make, write_dossier
from reports.dossier.crosswalk import data, status
from reports.dossier.person import MARK
from reports.signing import holds
from tests.reports.dossier.conftest import EVIL, IDS
from tests.reports.test_review_section import reviewed

huggingface_hub = pytest.importorskip("huggingface_hub")
CLAIMS = re.compile(
    r"\b(fair|unfair|fairness|unbiased|debiased|safe|safely|solved|comply|complies|complied|"
    r"compliant|compliance|conforms?|conformant|conformity|certif\w+|guarantees?)\b",
    re.I,
)


@pytest.fixture(scope="session")
def dossier(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dossier(original, tmp_path_factory.mktemp("out") / "d").folder


@pytest.fixture(scope="session")
def shared(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "shared"
    return write_dossier(original, out, sharing=Sharing(aggregate_only=True)).folder


def texts(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8")
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def entries(folder: Path) -> dict[tuple[str, str], dict[str, object]]:
    found = json.loads((folder / "crosswalk.json").read_text())["entries"]
    return {(e["framework"], e["clause"]): e for e in found}


def test_every_file_is_in_the_manifest_with_its_hash(dossier):
    about = json.loads((dossier / "manifest.json").read_text())
    assert about["schema"] == "prune-audit/dossier/1"
    assert about["made_by"].startswith("prune-audit ")
    paths = [row["path"] for row in about["files"]]
    there = {p.relative_to(dossier).as_posix() for p in dossier.rglob("*") if p.is_file()}
    assert paths == sorted(there - {"manifest.json"})
    for row in about["files"]:
        content = (dossier / row["path"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["bytes"] == len(content)


def test_the_same_run_gives_the_same_bytes(original, dossier, tmp_path):
    again = write_dossier(original, tmp_path / "again").folder
    assert texts(again) == texts(dossier)


def test_nothing_in_it_claims_that_anything_is_met(dossier, shared):
    words = json.dumps(data(), ensure_ascii=False)
    for name, text in {**texts(dossier), **texts(shared), "crosswalk.toml": words}.items():
        body = re.sub(r"<(style|script).*?</\1>", "", text, flags=re.S)
        assert not (found := CLAIMS.search(body)), (name, found)


def test_names_are_text_and_never_markup(dossier):
    page = (dossier / "dossier.html").read_text(encoding="utf-8")
    assert EVIL not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert EVIL not in (dossier / "model_card.md").read_text().split("---", 2)[2]


def test_every_link_leads_to_something(dossier, shared, pictured, tmp_path):
    for folder in (dossier, shared, write_dossier(pictured, tmp_path / "d").folder):
        page = (folder / "dossier.html").read_text(encoding="utf-8")
        there = set(re.findall(r'id="([^"]+)"', page))
        assert set(re.findall(r'href="#([^"]+)"', page)) - there == set()
        assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_the_model_card_is_read_back_by_the_library(dossier):
    card = huggingface_hub.ModelCard.load(dossier / "model_card.md")
    assert card.data.base_model == ["dense-0", "dense-1", "dense-2", "dense-3"]
    (result,) = card.data.eval_results
    assert result.metric_type == "accuracy"
    assert result.dataset_config == "magnitude at sparsity 0.9"
    found = rows(dossier / "tables/findings.csv")
    (overall,) = [
        r for r in found
        if r["measure"] == "accuracy" and r["condition"] == "clean" and r["sparsity"] == "0.9"
    ]  # fmt: skip
    assert result.metric_value == pytest.approx(float(overall["pruned"]), abs=1e-6)
    assert result.metric_args["n"] == 300
    assert result.metric_args["change_low"] < result.metric_args["change"]


def test_the_cards_metadata_are_what_the_hub_reads(dossier):
    """Offline: the header is YAML, names survive it, and every result has what the hub asks for."""
    yaml = pytest.importorskip("yaml")
    text = (dossier / "model_card.md").read_text(encoding="utf-8")
    about = yaml.safe_load(text.split("---")[1])
    (index,) = about["model-index"]
    assert index["name"] == f"loans {EVIL}"
    for result in index["results"]:
        assert result["task"]["type"]
        assert result["dataset"]["type"]
        assert result["dataset"]["name"]
        (metric,) = result["metrics"]
        assert (metric["type"], isinstance(metric["value"], float)) == ("accuracy", True)
    card = huggingface_hub.ModelCard(text)
    assert huggingface_hub.ModelCard(str(card)).data.to_dict() == card.data.to_dict()
    assert card.text.lstrip().startswith("# loans")


def test_what_a_person_wrote_is_kept_and_shown_with_who_and_when(original, tmp_path):
    made = write_dossier(original, tmp_path / "d")
    assert "person/intended_use.md" in made.waiting
    assert MARK in (made.folder / "person/intended_use.md").read_text()
    wrote = "# Intended use\n\nSorting <loans>.\n\nFilled in by: A. Person\nDate: 2031-06-01\n"
    (made.folder / "person/intended_use.md").write_text(wrote)
    (made.folder / "person/annex.txt").write_text("mine")
    again = write_dossier(original, tmp_path / "d")
    assert "person/intended_use.md" not in again.waiting
    assert (again.folder / "person/intended_use.md").read_text() == wrote
    assert (again.folder / "person/annex.txt").read_text() == "mine"
    page = (again.folder / "dossier.html").read_text(encoding="utf-8")
    assert "Sorting &lt;loans&gt;." in page
    assert "Filled in by A. Person, 2031-06-01." in page
    assert "Sorting <loans>." in (again.folder / "model_card.md").read_text()


def test_statuses_follow_what_the_run_holds(dossier, pictured, tmp_path):
    ours, other = entries(dossier), entries(write_dossier(pictured, tmp_path / "d").folder)
    robust = ("ISO/IEC TR 24029-1", "Statistical methods")
    assert ours[robust]["status"] == "absent"
    assert other[robust]["status"] == "supplied"
    rates = ("New York City Local Law 144", "§ 5-301(d) and § 5-303")
    assert ours[rates]["status"] == "supplied"
    assert other[rates]["status"] == "absent"
    assert ours[("EU AI Act", "Article 12")]["status"] == "not_covered"
    assert other[("EU AI Act", "Article 12")]["status"] == "not_covered"
    for entry in (*ours.values(), *other.values()):
        assert entry["note"] == "confirm with the official text"
        assert entry["asserted_by"].startswith("prune-audit ")
        if entry["status"] == "absent":
            assert entry["lacking"]
            assert all(each["how"] for each in entry["lacking"])


def test_evidence_names_the_hash_of_the_findings_and_findings_that_are_there(dossier):
    table = dossier / "tables/findings.csv"
    known = {row["id"] for row in rows(table)}
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    cited = [e for e in entries(dossier).values() if e["evidence"]]
    assert cited
    for entry in cited:
        assert entry["sha256"] == digest
        assert {name for s in entry["evidence"] for name in s["findings"]} <= known


@pytest.mark.parametrize(
    ("covered", "most", "there", "lacking", "expected"),
    [
        (False, "supplied", 3, 0, "not_covered"),
        (True, "supplied", 2, 0, "supplied"),
        (True, "partial", 2, 0, "partial"),
        (True, "supplied", 2, 1, "partial"),
        (True, "supplied", 0, 2, "absent"),
    ],
)
def test_a_status_is_never_more_than_there_is(covered, most, there, lacking, expected):
    assert status(covered, most, there, lacking) == expected


def test_the_shipped_crosswalk_is_whole():
    about = data()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", about["date"])
    for framework in about["framework"]:
        assert framework["version"]
        assert framework["checked"]
        assert framework["date"]
        for entry in framework["entry"]:
            assert entry["clause"]
            assert entry["claim"]
            assert bool(entry.get("evidence")) == entry.get("covered", True)
            assert entry.get("most", "supplied") in {"supplied", "partial"}
    assert {f["key"] for f in about["framework"] if f.get("retired")} == {"sr-11-7"}


def test_shared_files_and_what_is_printed_name_nobody(original, tmp_path):
    """Every id of the run against every byte; a waiver, a reason and a note name one each."""
    run = shutil.copytree(original, tmp_path / "run")
    document = json.loads((run / "findings.json").read_text())
    judged = [row for row in document["findings"] if row["outcome"] in ("over", "cannot_tell")]
    judged[0]["waiver"] = "patient-021 asked for it"
    document["findings"][0]["reason"] = "but for patient-022, nobody was asked"
    document["policy"]["note"] = "as agreed with patient-023"
    (run / "findings.json").write_text(json.dumps(document))
    out = tmp_path / "out"
    done = CliRunner().invoke(build(), ["dossier", str(run), "--aggregate-only", "--out", str(out)])
    assert done.exit_code == 0, done.output
    (run / "evidence/predictions/clean@0/dense-0.parquet").write_bytes(b"patient-031")
    failed = CliRunner().invoke(build(), ["dossier", str(run), "--aggregate-only"])
    assert failed.exit_code == INPUT
    written = {p.name: p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert "asked for it" in written["risk_register.csv"].decode()
    for name, content in {**written, "printed": done.output + failed.output}.items():
        text = content if isinstance(content, str) else content.decode()
        assert not [each for each in IDS if each in text], name


def test_shared_files_hold_no_picture(shared, pictured, tmp_path):
    other = write_dossier(pictured, tmp_path / "d", sharing=Sharing(aggregate_only=True)).folder
    page = (other / "dossier.html").read_text(encoding="utf-8")
    assert "<img" not in page
    assert "test/" not in page
    assert not (shared / "dossier.key").exists()


def test_plain_dossiers_hide_the_names_of_examples_too(pictured, tmp_path):
    folder = write_dossier(pictured, tmp_path / "d").folder
    page = (folder / "dossier.html").read_text(encoding="utf-8")
    assert page.count("<img") > 3
    assert "test/" not in page
    assert (pictured / "dossier.key").stat().st_mode & 0o077 == 0


def test_shared_counts_hide_small_cells_and_what_would_tell_them(shared):
    found = rows(shared / "tables/composition.csv")
    by = {(r["column"], r["class"], r["group"]): r for r in found}
    for name in ("X", "missing"):
        for class_ in ("no", "yes", ""):
            assert by["sex", class_, name]["examples"] == ""
    shown = [int(r["examples"]) for r in found if r["examples"]]
    assert all(n == 0 or n >= 10 for n in shown)
    for class_ in ("no", "yes"):
        hidden = [r for r in found if r["class"] == class_ and not r["examples"] and r["group"]]
        assert len(hidden) != 1
    for row in rows(shared / "tables/findings.csv"):
        assert not row["n"] or not 0 < float(row["n"]) < 10
        assert row["discordant"] == ""
        if row["groups"] in {"sex=X", "sex=missing"}:
            assert row["pruned"] == row["n"] == row["change"] == ""
            assert row["reason"].startswith("hidden") or row["outcome"] == "not_asked"


def test_shared_errors_name_no_row(original, tmp_path, monkeypatch):
    copy = shutil.copytree(original, tmp_path / "run")
    (copy / "evidence/examples.parquet").write_bytes(b"PAR1 patient-001")
    with pytest.raises(AuditError) as caught:
        write_dossier(copy, sharing=Sharing(aggregate_only=True))
    assert "patient" not in str(caught.value)
    assert "examples.parquet" not in str(caught.value)


def test_how_an_item_was_checked_stands_beside_it(dossier):
    page = (dossier / "dossier.html").read_text(encoding="utf-8")
    found = entries(dossier)
    assert "not against the Official Journal" in found["EU AI Act", "Article 12"]["checked"]
    own = found["New York City Local Law 144", "§ 5-301(d) and § 5-303"]["checked"]
    assert own.endswith("was not checked against the text")
    for entry in found.values():
        assert f"Checked: {entry['checked']}." in page.replace("&#39;", "'")


def test_the_page_begins_with_verdicts_and_what_is_asked_in_numbers(dossier):
    page = (dossier / "dossier.html").read_text(encoding="utf-8")
    found = [e["status"] for e in entries(dossier).values()]
    asked = f"Of {len(found)} items of 17 frameworks: evidence here for {found.count('supplied')},"
    assert asked in page
    assert "Sections that a person must fill in: 0 of 7 are filled in." in page
    assert page.index('id="outcomes"') < page.index('id="tested"')


def test_the_key_may_be_kept_elsewhere_and_never_in_the_dossier(original, tmp_path, monkeypatch):
    run = shutil.copytree(original, tmp_path / "run")
    (run / "dossier.key").unlink(missing_ok=True)
    key = tmp_path / "private" / "key"
    write_dossier(run, tmp_path / "a", key=key)
    assert not (run / "dossier.key").exists()
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(InputError, match="keep it apart"):
        write_dossier(run, tmp_path / "a", key=tmp_path / "a" / "key")

    def refused(path, data):
        raise StoreError(f"Cannot write {path}") from OSError(30, "Read-only file system")

    monkeypatch.setattr(identities, "write_file", refused)
    with pytest.raises(StoreError, match=r"dossier\.key \(.*Read-only.*\): give --key"):
        write_dossier(run, tmp_path / "b")
    write_dossier(run, tmp_path / "b", key=key)


def test_somebody_elses_folder_is_left_alone(original, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.tex").write_text("years")
    with pytest.raises(InputError, match="is no dossier"):
        write_dossier(original, tmp_path / "mine")
    folder = write_dossier(original, tmp_path / "d").folder
    (folder / "note.txt").write_text("mine")
    with pytest.raises(InputError, match=r"note\.txt is no file of the dossier"):
        write_dossier(original, folder)
    assert (folder / "note.txt").read_text() == "mine"


def test_a_killed_replacement_loses_nothing(original, tmp_path, monkeypatch):
    folder = write_dossier(original, tmp_path / "d").folder
    (folder / "person/contact.md").write_text("Ask A. Person.")
    folder.rename(tmp_path / ".d.before")  # killed between the two renames
    again = write_dossier(original, tmp_path / "d").folder
    assert (again / "person/contact.md").read_text() == "Ask A. Person."
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d"]


def test_a_failure_leaves_what_was_there(original, tmp_path, monkeypatch):
    folder = write_dossier(original, tmp_path / "d").folder
    before = texts(folder)
    monkeypatch.setattr(make.html, "render", lambda page: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_dossier(original, folder)
    assert texts(folder) == before
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_signature_holds_until_a_byte_changes(original, tmp_path):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    from cryptography.hazmat.primitives import serialization as form

    private = ed25519.Ed25519PrivateKey.generate()
    key = tmp_path / "key.pem"
    key.write_bytes(
        private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    folder = write_dossier(original, tmp_path / "d", sign_key=key).folder
    public = tmp_path / "public.pem"
    public.write_bytes(
        private.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    )
    manifest = folder / "manifest.json"
    assert holds(manifest, public)
    content = manifest.read_bytes()
    manifest.write_bytes(content.replace(b"sha256", b"sha257"))
    assert not holds(manifest, public)
    manifest.write_bytes(content)
    (tmp_path / "bad.pem").write_text("no key")
    with pytest.raises(InputError, match="openssl genpkey"):
        write_dossier(original, tmp_path / "d", sign_key=tmp_path / "bad.pem")
    assert entries(folder)["EU AI Act", "Annex IV(2)(g)"]["status"] == "partial"


def test_the_command_writes_and_says_what_waits(original, tmp_path):
    run = shutil.copytree(original, tmp_path / "run")
    done = CliRunner().invoke(build(), ["dossier", str(run)])
    assert done.exit_code == 0, done.output
    assert "person/contact.md" in done.stdout
    assert (run / "dossier/dossier.html").is_file()
    bad = CliRunner().invoke(build(), ["dossier", str(run), "--minimum-cell", "1"])
    assert bad.exit_code == INPUT
    none = CliRunner().invoke(build(), ["dossier", str(tmp_path)])
    assert none.exit_code == INPUT
    assert IDS[0] not in done.output


def test_what_was_done_otherwise_than_locked_is_listed(original, tmp_path):
    run = shutil.copytree(original, tmp_path / "run")
    run_facts = json.loads((run / "findings.json").read_text())
    config, plan = run_facts["run"]["config"], run_facts["run"]["plan"]
    digest = hashlib.sha256(json.dumps(config, separators=(",", ":")).encode()).hexdigest()
    lock = {
        "schema": "prune-audit/lock/1", "locked_at": "2031-05-01T00:00:00+00:00",
        "config_sha256": digest, "config": config, "plan": plan, "looks": 1,
        "limits": run_facts["policy"]["limits"], "version": run_facts["run"]["version"],
    }  # fmt: skip
    (run / "lock.json").write_text(json.dumps(lock))
    folder = write_dossier(run).folder
    assert entries(folder)["EU AI Act", "Article 9(6) and (8)"]["status"] == "supplied"
    page = (folder / "dossier.html").read_text(encoding="utf-8")
    assert "2031-05-01T00:00:00+00:00" in page
    assert "Things done otherwise than locked: 0." in page
    lock["limits"][0]["limit"] = 0.001
    (run / "lock.json").write_text(json.dumps(lock))
    page = (write_dossier(run).folder / "dossier.html").read_text(encoding="utf-8")
    assert "One thing was done otherwise than locked:" in page
    assert "max_accuracy_drop was loosened" in page


def test_who_reviewed_is_told_and_hidden_where_shared(original, tmp_path):
    run = shutil.copytree(original, tmp_path / "run")
    path = reviewed(run, label="yes") / "review/answers.parquet"
    names = {"r0": "Ada", "r1": "Grace"}
    answers = pd.read_parquet(path)
    answers.assign(reviewer=answers["reviewer"].map(names)).to_parquet(path, index=False)
    folder = write_dossier(run).folder
    page = (folder / "dossier.html").read_text(encoding="utf-8")
    assert "2 reviewers saw 40 of 40 items of the queue: 20 exemplars and 20 decoys" in page
    assert "Krippendorff" in page
    assert "Ada" in page
    assert entries(folder)["NIST AI RMF", "MEASURE 1.3"]["status"] == "partial"
    kinds = {e["key"] for e in entries(folder)["NIST AI RMF", "MEASURE 2.13"]["evidence"]}
    assert "review_agreement" in kinds
    shared = write_dossier(run, tmp_path / "s", sharing=Sharing(aggregate_only=True)).folder
    assert not any("Ada" in text or "Grace" in text for text in texts(shared).values())
