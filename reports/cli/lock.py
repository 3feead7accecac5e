"""The command that fixes settings, limits and looks before any result: lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.cli.exits import OVER
from reports.cli.studies import AsJson, ConfigFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit.judgement.findings import Findings
    from audit.judgement.policy.locking import Deviation
    from audit.study.config import Config

RESULTS = ("population", "evidence", "findings.json")
PAST = ("relocked", "results")  # what no setting can mend any more
NO_RESULT = "data"  # a stage that tells nothing of what comes out


def lock(
    config: ConfigFile,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with the lock that is there; write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Hash and date the settings, the limits and the planned looks, before any result exists.

    A lock is never replaced: an earlier one is kept as lock-1.json, and the report says so.

    Example: prune-audit lock audit.yaml
    """
    from audit.study.config_file import load_config

    settings = load_config(config)
    if check:
        _check(settings, config, as_json)
        return
    record, path, fresh = locked(settings, config.parent)
    if as_json:
        typer.echo(json.dumps({"path": str(path), "written": fresh, "lock": record}, indent=1))
        return
    typer.echo(f"{'locked' if fresh else 'unchanged'}: {path}")
    typer.echo(f"at {record['locked_at']}, settings' SHA-256 {record['config_sha256']}")
    if record["results_existed"]:
        there = ", ".join(record["results_existed"])
        typer.echo(f"There were results already, and the report will say so: {there}.")
    if record["previous"]:
        typer.echo(f"The lock before it is kept: {path.with_name(record['previous']['file'])}")


def locked(config: Config, base: Path) -> tuple[dict[str, Any], Path, bool]:
    """Writes the lock of a config, unless the one that is there says the same.

    Returns:
        The lock's record, its file, and whether it was written.

    Raises:
        InputError: The config names what is not there, or the file that is there is no lock.
        StoreError: The run folder cannot be written.
    """
    from audit.evidence.files import write_file
    from audit.judgement.policy.locking import LOCK, deviations, read_lock

    folder = Path(config.store) / config.name
    path, before = folder / LOCK, read_lock(folder)
    record = _record(config, base, folder, None)
    if before is not None:
        changed = deviations({**before, "previous": None, "results_existed": []}, record)
        if not changed:
            return before, path, False
        record["previous"] = _keep(path)
    write_file(path, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
    return record, path, True


def _record(
    config: Config, base: Path, folder: Path, previous: Mapping[str, Any] | None
) -> dict[str, Any]:
    from datetime import UTC, datetime
    from importlib import metadata

    from audit.judgement.policy.locking import lock_record

    data, existed = _there(config, base, folder)
    return lock_record(
        settings_of(config),
        config.audit,
        config.policy,
        locked_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=metadata.version("prune-audit"),
        data=data,
        results_existed=existed,
        previous=previous,
    )


def settings_of(config: Config) -> dict[str, Any]:
    """The settings that differ from the defaults, as runs record them."""
    return config.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, exclude={"execute", "report", "store"}
    )


def _there(config: Config, base: Path, folder: Path) -> tuple[dict[str, Any], list[str]]:
    """What tells the test examples from others, and which results there are."""
    from audit.study.layout import lay_out
    from audit.study.looks import fingerprint_of_test
    from audit.study.status import stages

    study = lay_out(config, base)
    data: dict[str, Any] = {"source": config.data.source, "sha256": study.data.fingerprint}
    if study.store.done(study.data):
        data["test_sha256"] = fingerprint_of_test(study.store.folder(study.data))
    existed = [name for name in RESULTS if (folder / name).exists()]
    existed += [
        f"{row.done} of {row.total} {row.stage}"
        for row in stages(config, base)
        if row.done and row.stage != NO_RESULT
    ]
    return data, existed


def _keep(path: Path) -> dict[str, Any]:
    """Gives the lock that is there a name of its own, and says which, and its hash."""
    import hashlib

    from audit.evidence.files import link_or_copy

    place = 1
    while (kept := path.with_name(f"{path.stem}-{place}{path.suffix}")).exists():
        place += 1
    link_or_copy(path, kept)
    return {"file": kept.name, "sha256": hashlib.sha256(kept.read_bytes()).hexdigest()}


def _check(config: Config, file: Path, as_json: bool) -> None:
    from audit.evidence.errors import InputError
    from audit.judgement.policy.locking import deviations, read_lock

    folder = Path(config.store) / config.name
    before = read_lock(folder)
    if before is None:
        raise InputError(
            f"There is no lock in {folder}: run `prune-audit lock {file}` before any result."
        )
    now = _record(config, file.parent, folder, None)
    found = [*deviations(before, now), *_data(before, now)]
    if as_json:
        rows = [each.record() for each in found]
        typer.echo(json.dumps({"locked_at": before["locked_at"], "deviations": rows}, indent=1))
    else:
        _say(found, str(before["locked_at"]))
    if any(each.kind not in PAST for each in found):
        raise typer.Exit(OVER)


def _data(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Deviation]:
    from audit.judgement.policy.locking import Deviation

    locked, used = before.get("data") or {}, now["data"]
    keys = [key for key in ("sha256", "test_sha256") if locked.get(key) and used.get(key)]
    return [
        Deviation(f"data.{key}", locked[key], used[key]) for key in keys if locked[key] != used[key]
    ]


def _say(found: Sequence[Deviation], when: str) -> None:
    if not found:
        typer.echo(f"Nothing differs from what was locked on {when}.")
    for each in found:
        typer.echo(str(each))


def lock_lines(folder: Path, findings: Findings) -> list[str]:
    """What a run's user is told of its lock: a sentence for each thing done otherwise."""
    from audit.judgement.policy.locking import deviations, read_lock
    from reports.wording import say

    before = read_lock(folder)
    if before is None:
        return [say("locked.terminal_none")]
    found = deviations(before, findings)
    return [str(each) for each in found] or [
        say("locked.terminal_kept", when=before.get("locked_at"))
    ]


def note_lock(folder: Path, findings: Findings) -> None:
    """Writes the lock and what was done otherwise into `run.json`, which no manifest lists."""
    from audit.evidence.files import write_file
    from audit.judgement.policy.locking import deviations, read_lock

    path, before = folder / "run.json", read_lock(folder)
    if before is None or not path.is_file():
        return
    noted = {
        "locked_at": before.get("locked_at"),
        "config_sha256": before.get("config_sha256"),
        "deviations": [each.record() for each in deviations(before, findings)],
    }
    record = json.loads(path.read_text(encoding="utf-8"))
    if record.get("lock") != noted:
        text = json.dumps({**record, "lock": noted}, indent=1, sort_keys=True, ensure_ascii=False)
        write_file(path, (text + "\n").encode())
