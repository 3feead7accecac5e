"""Every kind of file that somebody can change, and the depth at which it is noticed."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings
from audit.study.publish import seal
from audit.study.run import Result
from reports.verify import Check, Verified, verify
from reports.verify.again import judged_again
from reports.verify.hashes import check_hashes, read_manifest, relist
from reports.verify.predicting import check_predictions

PART = Path("evidence/predictions/clean@0/pruned-1.parquet")


def check(found: Verified, name: str) -> Check:
    return next(each for each in found.checks if each.name == name)


def edit_prediction(run: Path, part: Path, rows: int = 1) -> None:
    """Gives the first examples another label, and leaves the rest of the file as it is."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(run / part)
    codes = table.column("predicted").to_pylist()
    codes[:rows] = [1 - min(code, 1) for code in codes[:rows]]
    place = table.column_names.index("predicted")
    column = pa.array(codes, table.schema.field("predicted").type)
    (run / part).unlink()  # it may be a link to the store
    pq.write_table(table.set_column(place, table.schema.field("predicted"), column), run / part)


# --- files ---------------------------------------------------------------------------------------


def test_an_untouched_run_is_verified(table_run: Path) -> None:
    found = verify(table_run, "counts")
    assert [(each.name, each.problems) for each in found.checks if each.answer != "verified"] == []
    assert (found.answer, found.status) == ("verified", 0)
    assert {each.name for each in found.checks} >= {"hashes", "arithmetic", "recount", "findings"}


@pytest.mark.parametrize(
    "name", ["findings.json", "exemplars.parquet", "evidence/examples.parquet", str(PART)]
)
def test_a_flipped_byte_is_named(spoilt: Path, name: str) -> None:
    content = bytearray((spoilt / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (spoilt / name).write_bytes(content)
    found = check(verify(spoilt), "hashes")
    assert found.answer == "differs"
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"{name} ")


def test_a_change_of_any_file_of_a_run_or_a_dossier_is_named(spoilt: Path) -> None:
    """One byte, the file gone, or cut in half: that file is named, and no other."""
    pytest.importorskip("huggingface_hub")
    from reports.dossier import write_dossier

    for folder in (spoilt, write_dossier(spoilt).folder):
        manifest = read_manifest(folder)
        assert manifest is not None
        assert check_hashes(folder, manifest).answer == "verified"
        for name in manifest.files:
            content = (folder / name).read_bytes()
            flipped = bytearray(content)
            flipped[len(content) // 2] ^= 1
            for changed in (bytes(flipped), content[: len(content) // 2], None):
                (folder / name).unlink()
                if changed is not None:
                    (folder / name).write_bytes(changed)
                problems = check_hashes(folder, manifest).problems
                assert len(problems) == 1
                assert name in problems[0]
            (folder / name).write_bytes(content)


def test_two_files_in_each_others_place_are_both_named(spoilt: Path) -> None:
    other = PART.with_name("pruned-0.parquet")
    (spoilt / PART).rename(spoilt / "aside")
    (spoilt / other).rename(spoilt / PART)
    (spoilt / "aside").rename(spoilt / other)
    problems = check(verify(spoilt), "hashes").problems
    assert [p.split()[0] for p in problems] == [str(other), str(PART)]


def test_a_broken_table_is_called_corrupt(spoilt: Path) -> None:
    content = (spoilt / PART).read_bytes()
    (spoilt / PART).write_bytes(content[: len(content) // 2])
    found = check(verify(spoilt), "hashes")
    assert found.problems[0].startswith(f"{PART} is corrupt and cannot be read")


def test_a_missing_file_is_named(spoilt: Path) -> None:
    (spoilt / PART).unlink()
    assert check(verify(spoilt), "hashes").problems == (f"{PART} is missing.",)


def test_missing_findings_that_the_manifest_lists_are_no_unfinished_run(spoilt: Path) -> None:
    (spoilt / "findings.json").unlink()
    found = verify(spoilt)
    assert found.status == 1
    assert check(found, "hashes").problems == ("findings.json is missing.",)


def test_a_stranger_among_the_predictions_differs_and_one_beside_is_told(spoilt: Path) -> None:
    shutil.copy(spoilt / PART, spoilt / PART.with_name("stranger.parquet"))
    (spoilt / "notes.txt").write_text("mine")
    found = check(verify(spoilt), "hashes")
    assert len(found.problems) == 1
    assert "stranger.parquet" in found.problems[0]
    assert any(note.startswith("notes.txt ") for note in found.notes)


def test_a_manifest_cannot_lead_out_of_the_folder(spoilt: Path) -> None:
    manifest = json.loads((spoilt / "manifest.json").read_text())
    manifest["files"]["../secret.txt"] = {"bytes": 1, "sha256": "0"}
    (spoilt / "manifest.json").write_text(json.dumps(manifest))
    found = check(verify(spoilt), "hashes")
    assert found.problems == ("The manifest names ../secret.txt, which is outside the folder.",)


def test_without_a_manifest_nobody_can_tell_and_broken_files_are_named(spoilt: Path) -> None:
    (spoilt / "manifest.json").unlink()
    (spoilt / "exemplars.parquet").write_bytes(b"PAR1")
    found = check(verify(spoilt), "hashes")
    assert found.answer == "cannot_tell"
    assert any(problem.startswith("exemplars.parquet is corrupt") for problem in found.problems)


def test_a_new_report_is_listed_and_nothing_else_is(spoilt: Path) -> None:
    (spoilt / "report.md").write_text("new")
    (spoilt / "exemplars.parquet").write_bytes(b"changed")
    relist(spoilt, [spoilt / "report.md"])
    manifest = read_manifest(spoilt)
    assert manifest is not None
    assert manifest.files["report.md"]["bytes"] == 3
    assert len(check(verify(spoilt), "hashes").problems) == 1


# --- counts and findings -------------------------------------------------------------------------


def test_an_edited_prediction_that_was_hashed_anew_is_found_by_judging_again(spoilt: Path) -> None:
    edit_prediction(spoilt, PART)
    seal(spoilt)
    assert verify(spoilt).status == 0
    found = verify(spoilt, "counts")
    assert found.status == 1
    assert check(found, "recount").answer == "differs"
    problems = check(found, "findings").problems
    assert any("accuracy magnitude 0.8 clean" in problem for problem in problems)


def test_an_edited_finding_is_named(spoilt: Path) -> None:
    path = spoilt / "findings.json"
    document = json.loads(path.read_text())
    accuracies = [row for row in document["findings"] if row["measure"] == "accuracy"]
    row = next(row for row in accuracies if row["pruned"] is not None)
    row["pruned"] += 0.01
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    seal(spoilt)
    found = verify(spoilt, "counts")
    problem = next(p for p in check(found, "findings").problems if row["id"] in p)
    assert f"pruned is {row['pruned']}" in problem
    assert any(row["id"] in each for each in check(found, "arithmetic").problems)
    assert any(row["id"] in each for each in check(found, "recount").problems)


def test_an_edited_exemplar_table_is_found(spoilt: Path) -> None:
    path = spoilt / "exemplars.parquet"
    frame = pd.read_parquet(path)
    frame.iloc[:-1].to_parquet(path, index=False)
    seal(spoilt)
    problems = check(verify(spoilt, "counts"), "findings").problems
    assert problems == ("exemplars.parquet does not hold what comes of the predictions.",)


def test_another_version_of_the_tool_is_said(spoilt: Path) -> None:
    path = spoilt / "findings.json"
    path.write_text(path.read_text().replace('"version": "0.', '"version": "0.0.'))
    seal(spoilt)
    found = check(verify(spoilt, "counts"), "findings")
    assert found.answer == "verified"
    assert found.notes[0].startswith("Made by version 0.0.")


def test_limits_that_are_not_the_recorded_configs_differ(spoilt_study: Path) -> None:
    """Loosened in the findings, with outcomes that follow: the config beside them still tells."""
    path = spoilt_study / "findings.json"
    document = json.loads(path.read_text())
    document["policy"]["limits"][0]["limit"] = 0.5
    path.unlink()
    path.write_text(json.dumps(document))
    loosened = judged_again(spoilt_study, Findings.read(spoilt_study), None)
    path.write_text(loosened.to_json())
    seal(spoilt_study)
    found = verify(spoilt_study, "counts")
    assert check(found, "findings").answer == "verified"
    assert check(found, "settings").problems == (
        "The limits that findings were held to are not those of the recorded config.",
    )


# --- bad input -----------------------------------------------------------------------------------


def test_an_unfinished_run_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no findings\.json"):
        verify(tmp_path)
    with pytest.raises(InputError, match="There is no folder"):
        verify(tmp_path / "nowhere")


def test_findings_of_a_newer_version_are_refused(spoilt: Path) -> None:
    path = spoilt / "findings.json"
    path.write_text(path.read_text().replace("prune-audit/findings/1", "prune-audit/findings/2"))
    with pytest.raises(InputError, match="later version"):
        verify(spoilt)


def test_nothing_is_written(spoilt: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in spoilt.rglob("*")}
    verify(spoilt, "counts")
    assert {path: path.stat().st_mtime_ns for path in spoilt.rglob("*")} == before


# --- predictions ---------------------------------------------------------------------------------


def asked_again(folder: Path, sample: int = 5, seed: int = 0) -> Check:
    """The third depth alone, without judging everything again first."""
    found = read_manifest(folder)
    return check_predictions(folder, Findings.read(folder), found, Path(), sample, seed)


def seed_that_draws(folder: Path, model: str, sample: int) -> int:
    manifest = read_manifest(folder)
    assert manifest is not None
    names = sorted(manifest.state["models"])
    return next(s for s in range(1000) if model in random.Random(s).sample(names, sample))


def test_models_asked_again_say_the_same(small_run: Result) -> None:
    found = verify(small_run.folder, "predictions", sample=2)
    assert [(each.name, each.problems) for each in found.checks if each.answer != "verified"] == []
    told = check(found, "predictions")
    assert told.said.startswith("2 models were asked again under 3 conditions")


def test_predictions_edited_along_with_findings_are_found_by_asking_again(
    spoilt_study: Path,
) -> None:
    """Without the store, so that the data are prepared anew and the weights are the folder's."""
    edit_prediction(spoilt_study, Path("evidence/predictions/clean@0/dense-1.parquet"), rows=5)
    findings = Findings.read(spoilt_study)
    judged_again(spoilt_study, findings, None).write(spoilt_study)
    seal(spoilt_study)
    assert verify(spoilt_study, "counts").status == 0
    seed = seed_that_draws(spoilt_study, "dense-1", 2)
    found = asked_again(spoilt_study, 2, seed)
    assert found.answer == "differs"
    assert found.problems[0].startswith("dense-1 under clean@0: ")
    assert len(found.problems) == 1


def test_weights_that_are_gone_are_said(spoilt_study: Path) -> None:
    for path in (spoilt_study / "population").iterdir():
        path.unlink()
    found = asked_again(spoilt_study, 1)
    assert found.answer == "cannot_tell"
    assert "safetensors is missing" in found.problems[0]


def test_an_audited_table_has_no_models_to_ask(table_run: Path) -> None:
    found = asked_again(table_run)
    assert found.answer == "cannot_tell"
    assert "no config" in found.problems[0]


def test_inputs_that_are_gone_are_said(spoilt_study: Path) -> None:
    path = spoilt_study / "findings.json"
    document = json.loads(path.read_text())
    document["run"]["config"]["data"] = {"source": "folder", "path": "gone"}
    path.write_text(json.dumps(document))
    found = asked_again(spoilt_study)
    assert found.answer == "cannot_tell"
    assert found.problems[0].startswith("Nothing could be asked again: ")
    assert "gone" in found.problems[0]


def test_inputs_that_are_others_now_are_said(spoilt_study: Path) -> None:
    path = spoilt_study / "findings.json"
    document = json.loads(path.read_text())
    document["run"]["config"]["data"]["limit"] = {"train": 200, "test": 299}
    path.write_text(json.dumps(document))
    found = asked_again(spoilt_study)
    assert found.answer == "cannot_tell"
    assert "are not those of the manifest" in found.problems[0]
