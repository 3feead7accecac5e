"""The commands lock, verify and sign, and what a report says of a lock."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from audit.judgement.findings import Findings
from audit.study.publish import seal
from audit.study.run import Result as Run
from reports.cli.app import build
from reports.cli.lock import lock_lines, note_lock
from reports.dossier import Sharing, write_dossier
from reports.html import write_html
from reports.verify import Check, verify
from reports.verify.tables import check_table
from tests.reports.test_signing import keys


def call(*words: object) -> Result:
    return CliRunner().invoke(build(), [str(word) for word in words])


@pytest.fixture
def config(tmp_path: Path, small_config: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config whose store is in its own folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(small_config)
    return path


def loosen(config: Path) -> None:
    config.write_text(
        config.read_text().replace("max_accuracy_drop: 0.02", "max_accuracy_drop: 0.9")
    )


def lock_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "lock.json").read_text())
    return found


# --- lock ----------------------------------------------------------------------------------------


def test_a_lock_before_results_is_kept_and_checked(config: Path) -> None:
    folder = config.parent / "runs" / "small"
    assert call("lock", config).exit_code == 0
    first = (folder / "lock.json").read_bytes()
    assert lock_of(folder)["results_existed"] == []
    assert call("lock", config).exit_code == 0
    assert (folder / "lock.json").read_bytes() == first
    assert call("lock", config, "--check").exit_code == 0
    loosen(config)
    checked = call("lock", config, "--check")
    assert checked.exit_code == 1
    assert "policy.max_accuracy_drop was loosened: locked 0.02, used 0.9." in checked.output


def test_locking_anew_keeps_the_lock_before_it(config: Path) -> None:
    folder = config.parent / "runs" / "small"
    call("lock", config)
    first = (folder / "lock.json").read_bytes()
    loosen(config)
    assert "lock-1.json" in call("lock", config).output
    assert (folder / "lock-1.json").read_bytes() == first
    assert call("lock", config, "--check").exit_code == 0
    assert not (folder / "lock-2.json").exists()


def test_checking_without_a_lock_says_what_to_do(config: Path) -> None:
    checked = call("lock", config, "--check")
    assert checked.exit_code == 2
    assert "There is no lock in" in checked.output


def test_a_folder_that_cannot_be_written_is_named(config: Path) -> None:
    (config.parent / "runs").write_text("in the way")
    said = call("lock", config)
    assert said.exit_code == 2
    assert "runs" in said.output
    assert "Traceback" not in said.output


def test_a_lock_after_results_says_what_was_there(config: Path, small_run: Run) -> None:
    shutil.copytree(small_run.folder, config.parent / "runs" / "small")
    said = call("lock", config).output
    assert "There were results already" in said
    lock = lock_of(config.parent / "runs" / "small")
    assert lock["results_existed"] == ["population", "evidence", "findings.json"]
    page = write_html(config.parent / "runs" / "small").read_text()
    assert "results were there already" in page
    assert "may have been chosen by what came out" in page


def test_a_loosened_limit_is_listed_in_the_report_the_terminal_and_the_record(
    config: Path, small_run: Run, tmp_path: Path
) -> None:
    config.write_text(
        config.read_text().replace("max_accuracy_drop: 0.02", "max_accuracy_drop: 0.01")
    )
    call("lock", config)
    folder = shutil.copytree(small_run.folder, tmp_path / "made")
    shutil.copy(tmp_path / "runs" / "small" / "lock.json", folder)
    said = "policy.max_accuracy_drop was loosened: locked 0.01, used 0.02."
    findings = Findings.read(folder)
    assert said in lock_lines(folder, findings)
    note_lock(folder, findings)
    record = json.loads((folder / "run.json").read_text())
    assert "policy.max_accuracy_drop" in [each["path"] for each in record["lock"]["deviations"]]
    page = write_html(folder).read_text()
    assert ">policy.max_accuracy_drop<" in page
    assert ">loosened<" in page


def test_a_run_without_a_lock_says_how_to_lock(small_run: Run) -> None:
    assert lock_lines(small_run.folder, Findings.read(small_run.folder))[0].startswith("Not locked")
    page = (small_run.folder / "report.html").read_text()
    assert "were not locked before the results" in page


def test_an_edited_lock_differs_and_a_broken_chain_too(config: Path, spoilt: Path) -> None:
    call("lock", config)
    loosen(config)
    call("lock", config)
    made = config.parent / "runs" / "small"
    shutil.copy(made / "lock.json", spoilt)
    (spoilt / "manifest.json").unlink()
    seal(spoilt)
    found = next(each for each in verify(spoilt).checks if each.name == "lock")
    assert found.problems[0].startswith("lock-1.json is not the lock that was replaced")
    shutil.copy(made / "lock-1.json", spoilt)
    assert verify(spoilt).status == 0
    lock = lock_of(spoilt)
    lock["config"] = {}
    (spoilt / "lock.json").write_text(json.dumps(lock))
    seal(spoilt)
    found = next(each for each in verify(spoilt).checks if each.name == "lock")
    assert found.problems == (
        "lock.json is not the lock that was there when the results were written: it was changed.",
        "lock.json was edited: its config is not the one that it hashed.",
    )


def locked_run(config: Path, spoilt: Path) -> Path:
    """A run that was sealed with a lock in it."""
    call("lock", config)
    shutil.copy(config.parent / "runs" / "small" / "lock.json", spoilt)
    (spoilt / "manifest.json").unlink()
    seal(spoilt)
    return spoilt / "lock.json"


def lock_check(folder: Path) -> Check:
    return next(each for each in verify(folder).checks if each.name == "lock")


def test_a_lock_edited_whole_after_the_results_is_named(config: Path, spoilt: Path) -> None:
    """Its own hash is made anew, too: only the manifest of the results knows the other."""
    path = locked_run(config, spoilt)
    assert lock_check(spoilt).answer == "verified"
    lock = lock_of(spoilt)
    lock["limits"], lock["locked_at"] = [], "2001-01-01T00:00:00+00:00"
    path.write_text(json.dumps(lock))
    seal(spoilt)  # after a new report, say: the lock that is known stays
    assert lock_check(spoilt).problems == (
        "lock.json is not the lock that was there when the results were written: it was changed.",
    )
    path.unlink()
    assert lock_check(spoilt).problems[0].startswith("lock.json was there when the results")


def test_a_lock_that_was_put_there_after_the_results_is_named(config: Path, spoilt: Path) -> None:
    call("lock", config)
    shutil.copy(config.parent / "runs" / "small" / "lock.json", spoilt)
    assert "put there later" in lock_check(spoilt).problems[0]
    lock = lock_of(spoilt)
    lock["results_existed"] = ["findings.json"]  # an honest one says so itself
    (spoilt / "lock.json").write_text(json.dumps(lock))
    assert lock_check(spoilt).answer == "verified"


def test_a_lock_that_cannot_be_read_is_named(spoilt: Path) -> None:
    (spoilt / "lock.json").write_text("{")
    found = lock_check(spoilt)
    assert found.answer == "differs"
    assert "lock.json is no lock" in found.problems[0]


# --- verify and sign -----------------------------------------------------------------------------


def test_verify_has_an_exit_status_for_every_answer(spoilt: Path, tmp_path: Path) -> None:
    assert call("verify", spoilt).exit_code == 0
    assert call("verify", tmp_path / "nowhere").exit_code == 2
    found = call("verify", spoilt, "--json")
    assert json.loads(found.stdout)["answer"] == "verified"
    manifest = (spoilt / "manifest.json").read_bytes()
    (spoilt / "manifest.json").unlink()
    assert call("verify", spoilt).exit_code == 3
    (spoilt / "manifest.json").write_bytes(manifest)
    (spoilt / "exemplars.parquet").write_bytes(b"")
    found = call("verify", spoilt)
    assert found.exit_code == 1
    assert "exemplars.parquet is corrupt" in found.output
    assert "The findings cannot be read" in found.output


def test_sign_reads_a_passphrase_and_verify_the_key(
    spoilt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, public = keys(tmp_path, "mine", b"open sesame")
    monkeypatch.setenv("PRUNE_AUDIT_PASSPHRASE", "open sesame")
    assert call("sign", spoilt, "--key", private).exit_code == 0
    found = call("verify", spoilt, "--key", public)
    assert found.exit_code == 0
    assert "nothing of what they say" in found.output


def test_a_new_report_leaves_the_folder_verified(spoilt: Path) -> None:
    assert call("report", spoilt).exit_code == 0
    assert call("verify", spoilt).exit_code == 0


def test_an_audited_table_is_sealed(tmp_path: Path) -> None:
    from tests.reports.verify.conftest import table

    table().to_parquet(tmp_path / "predictions.parquet", index=False)
    out = tmp_path / "out"
    assert call("audit", tmp_path / "predictions.parquet", "--out", out, "-q").exit_code == 0
    found = call("verify", out, "--depth", "counts")
    assert (found.exit_code, "Everything that was checked" in found.output) == (0, True)


# --- dossiers ------------------------------------------------------------------------------------


def test_a_dossier_is_verified_with_the_run_it_lies_in(spoilt: Path) -> None:
    made = write_dossier(spoilt)
    found = verify(made.folder, "counts")
    assert [(each.name, each.problems) for each in found.checks if each.answer != "verified"] == []
    assert "table" in {each.name for each in found.checks}
    assert verify(spoilt).status == 0  # a dossier is no stranger in its run's folder


def test_a_dossier_whose_run_or_table_is_corrupt_is_told_in_a_sentence(spoilt: Path) -> None:
    folder = write_dossier(spoilt).folder
    (spoilt / "exemplars.parquet").write_bytes(b"PAR1")
    (folder / "tables" / "findings.csv").write_bytes(b"\xff")
    found = verify(folder, "counts")
    assert [each.name for each in found.checks if each.answer == "differs"] == [
        "hashes",
        "findings",
        "table",
    ]


def test_a_changed_dossier_differs(spoilt: Path) -> None:
    folder = write_dossier(spoilt).folder
    (folder / "model_card.md").write_text("better")
    (folder / "stranger.txt").write_text("?")
    problems = verify(folder).checks[0].problems
    assert [problem.split()[0] for problem in problems] == ["model_card.md", "stranger.txt"]


def test_numbers_edited_in_a_dossiers_table_are_found_without_a_row(
    spoilt: Path, tmp_path: Path
) -> None:
    folder = write_dossier(spoilt, tmp_path / "dossier", sharing=Sharing(True, 5)).folder
    assert verify(folder, "counts").status == 0
    path = folder / "tables" / "findings.csv"
    lines = path.read_text().splitlines()
    heads = lines[0].split(",")
    place = next(i for i, line in enumerate(lines) if ",accuracy," in line and "magnitude" in line)
    cells = lines[place].split(",")
    cells[heads.index("pruned")] = "0.99"
    path.write_text("\n".join([*lines[:place], ",".join(cells), *lines[place + 1 :]]) + "\n")
    found = verify(folder, "counts")
    assert [each.name for each in found.checks if each.answer == "differs"] == [
        "hashes",
        "arithmetic",
    ]


def test_a_table_that_is_not_the_runs_differs(spoilt: Path) -> None:
    """One number that no arithmetic holds, and the manifest hashed anew."""
    folder = write_dossier(spoilt).folder
    path = folder / "tables" / "findings.csv"
    lines = path.read_text().splitlines()
    heads = lines[0].split(",")
    place = next(i for i, line in enumerate(lines) if ",accuracy," in line and "magnitude" in line)
    cells = lines[place].split(",")
    cells[heads.index("standard_error")] = "0.5"
    path.write_text("\n".join([*lines[:place], ",".join(cells), *lines[place + 1 :]]) + "\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    row = next(row for row in manifest["files"] if row["path"] == "tables/findings.csv")
    row["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = verify(folder, "counts")
    assert [each.name for each in found.checks if each.answer == "differs"] == ["table"]


def test_a_number_edited_in_a_shared_table_is_found_beside_the_run(spoilt: Path) -> None:
    """Also where somebody empties a column, so that the table looks like one made in aggregate."""
    shared = write_dossier(spoilt, spoilt / "shared", sharing=Sharing(True, 5)).folder
    whole = write_dossier(spoilt).folder
    for folder, column, value in ((shared, "standard_error", "0.5"), (whole, "discordant", "")):
        path = folder / "tables" / "findings.csv"
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert [c.answer for c in check_table(folder, Findings.read(spoilt))] == ["verified"] * 2
        for row in rows:
            row[column] = value if row[column] else ""
        shown = next(row for row in rows if row["measure"] == "accuracy" and row["df"])
        shown["df"] = "7"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        assert check_table(folder, Findings.read(spoilt))[1].answer == "differs"


def test_a_dossier_of_other_findings_differs(small_run: Run, tmp_path: Path) -> None:
    run = shutil.copytree(small_run.folder, tmp_path / "small")
    folder = write_dossier(run).folder
    assert verify(folder).status == 0
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["state"]["findings"] = "judged-0000000000000000"
    (run / "manifest.json").write_text(json.dumps(manifest))
    found = next(each for each in verify(folder).checks if each.name == "address")
    assert "the run folder holds judged-0000000000000000" in found.problems[0]
