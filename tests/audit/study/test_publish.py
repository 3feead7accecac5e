"""What a run folder's manifest vouches for: the run's results, not what people make of them."""

from __future__ import annotations

import hashlib
import json
import shutil

from audit.study.publish import MANIFEST, seal, standing
from audit.study.run import run


def test_the_manifest_leaves_reviews_dossiers_and_locks_out(tmp_path):
    own = ["findings.json", "evidence/models.parquet", "report.html", "evidence/review.txt"]
    others = ["run.json", "review.db", "review.db-wal", "review/answers.parquet", "lock.json"]
    others += ["lock-1.json", "dossier/manifest.json", "dossier.key", "half.tmp"]
    for name in own + others:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    seal(tmp_path)
    assert sorted(json.loads((tmp_path / MANIFEST).read_text())["files"]) == sorted(own)


def test_a_file_that_is_not_written_anew_keeps_the_hash_it_had(tmp_path):
    for name in ("findings.json", "report.html"):
        (tmp_path / name).write_text("as it was made")
    sealed = json.loads(seal(tmp_path).read_text())["files"]
    (tmp_path / "findings.json").write_text("as I wish it..")
    before = standing(tmp_path)
    (tmp_path / "report.html").write_text("made anew")
    again = json.loads(seal(tmp_path, before).read_text())["files"]
    assert again["findings.json"] == sealed["findings.json"]
    assert again["report.html"] == {
        "bytes": 9,
        "sha256": hashlib.sha256(b"made anew").hexdigest(),
    }


def test_a_run_that_is_put_together_again_takes_no_changed_file_for_its_own(small_run, tmp_path):
    store = tmp_path / "runs"
    shutil.copytree(small_run.folder.parent, store)
    folder = store / small_run.folder.name
    config = small_run.study.config.model_copy(update={"store": str(store)})
    (folder / "report.html").unlink()
    run(config, base=tmp_path)  # links the copied folder with the copied store
    (folder / "lock.json").write_text("not there when the results were sealed")
    for name in ("findings.json", "evidence/records.json"):
        path = folder / name
        path.write_bytes(
            path.read_bytes().replace(b"\n", b" ")
        )  # in place, and so in the store as well
    (folder / "report.md").unlink()
    before = json.loads((folder / MANIFEST).read_text())
    assert run(config, base=tmp_path).published.fresh
    after = json.loads((folder / MANIFEST).read_text())
    assert after["locks"] == before["locks"] == {}
    before["files"].pop("report.md")
    assert after["files"] == before["files"]
