"""Reads an audit.yaml, and says file, line, key and nearest valid name when something is wrong."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from audit.evidence.errors import ConfigError
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.study.config import Config, ReportSettings

T = TypeVar("T", bound=BaseModel)


def load_config(path: str | Path) -> Config:
    """Reads and checks a config file.

    Args:
        path: A YAML file. Relative paths inside it are relative to its folder; `policy` may be the
            path of a file of its own.

    Raises:
        ConfigError: The file cannot be read, is no YAML, or holds an unknown key or a bad value;
            the text names the file, the line, the key and what to do.
    """
    path = Path(path)
    root, values = _parsed(path)
    values.setdefault("name", _stem_as_name(path))
    if isinstance(values.get("policy"), str):
        values["policy"] = _policy_beside(path, root, values["policy"])
    return _checked(Config, path, root, values)


def load_policy(path: str | Path) -> Policy:
    """Reads limits from a file of their own, or from the policy section of a whole config.

    The section may name a file of its own.

    Raises:
        ConfigError: As `load_config`.
    """
    path = Path(path)
    root, values = _parsed(path)
    for key, section in root.value:
        if key.value == "policy":
            if isinstance(values["policy"], str):
                return _policy_beside(path, root, values["policy"])
            root, values = section, values["policy"] or {}
            break
    return _checked(Policy, path, root, values)


def load_plan(path: str | Path) -> Plan:
    """Reads how to judge from a file of its own, or from the audit section of a whole config.

    Raises:
        ConfigError: As `load_config`.
    """
    path = Path(path)
    root, values = _parsed(path)
    for key, section in root.value:
        if key.value == "audit":
            root, values = section, values["audit"] or {}
            break
    return _checked(Plan, path, root, values)


def load_report(path: str | Path) -> ReportSettings | None:
    """Reads the report section of a whole config; None where the file has none.

    Raises:
        ConfigError: As `load_config`.
    """
    path = Path(path)
    root, values = _parsed(path)
    for key, section in root.value:
        if key.value == "report":
            return _checked(ReportSettings, path, section, values["report"] or {})
    return None


def _policy_beside(path: Path, root: yaml.Node, named: str) -> Policy:
    """The limits in the file that a config names."""
    found = path.parent / Path(named).expanduser()
    if not found.is_file():
        _, line = _locate(root, ("policy",))
        raise ConfigError(
            f"{path}, line {line}, key policy: there is no file {found}: mend the path, or write "
            "the limits here."
        )
    root, values = _parsed(found)
    return _checked(Policy, found, root, values)


def _parsed(path: Path) -> tuple[yaml.MappingNode, dict[str, Any]]:
    text = _read(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(_syntax(path, error)) from error
    if not isinstance(root, yaml.MappingNode) or not isinstance(values, dict):
        raise ConfigError(
            f"{path} is not a mapping of keys to values: run `prune-audit init` for a starter file."
        )
    _refuse_repeated_keys(path, root)
    return root, values


def _checked(model: type[T], path: Path, root: yaml.Node, values: Any) -> T:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(model, path, root, error)) from error


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"There is no config file {path}: run `prune-audit init {path}` for a starter."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): give a UTF-8 YAML file.") from error


def _stem_as_name(path: Path) -> str:
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in path.stem).lstrip("._-")
    return name if name.isascii() and name else "audit"


def _syntax(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
    return f"{where}: not valid YAML ({problem}): mend that line."


def _refuse_repeated_keys(path: Path, node: yaml.Node) -> None:
    # YAML keeps the last of two equal keys without a word; in a policy that would drop a limit.
    if isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            if key.value in lines:
                raise ConfigError(
                    f"{path}, line {key.start_mark.line + 1}: key {key.value!r} is there already "
                    f"on line {lines[key.value]}: keep one of them."
                )
            lines[key.value] = key.start_mark.line + 1
            _refuse_repeated_keys(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(path, item)


def _explain(model: type[BaseModel], path: Path, root: yaml.Node, error: ValidationError) -> str:
    details = error.errors(include_url=False)
    # A union reports one error per member; the deepest one speaks of what the person meant.
    first = max(details, key=lambda detail: len(detail["loc"]))
    keys, line = _locate(root, first["loc"])
    where = ", ".join(
        part
        for part in (
            str(path),
            f"line {line}" if line else None,
            f"key {'.'.join(keys)}" if keys else None,
        )
        if part
    )
    more = len({detail["loc"] for detail in details}) - 1
    rest = f" ({more} more to mend after this.)" if more and not _is_union(details) else ""
    return f"{where}: {_problem(model, first)}{rest}"


def _is_union(details: list[ErrorDetails]) -> bool:
    return len({detail["loc"][:2] for detail in details}) == 1


def _locate(root: yaml.Node, loc: tuple[int | str, ...]) -> tuple[list[str], int | None]:
    """Walks a location as far as the file has it; union members' tags are passed over."""
    node: yaml.Node = root
    keys: list[str] = []
    line: int | None = None
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found is None:
                continue
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            continue
        keys.append(str(part))
    if not keys and loc:
        keys = [str(part) for part in loc]
    return keys, line


def _problem(model: type[BaseModel], detail: ErrorDetails) -> str:
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        known = _siblings(model, detail["loc"])
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"keys here: {', '.join(known)}."
        return f"unknown key {name!r}: {hint}"
    if detail["type"] == "missing":
        return f"the key {name!r} is needed and missing: add it."
    message = detail["msg"].removeprefix("Value error, ").rstrip(".")
    value = detail["input"]
    shown = f", not {value!r}" if isinstance(value, str | int | float | bool | None) else ""
    if shown and repr(value) in message:
        shown = ""
    return f"{message[0].lower()}{message[1:]}{shown}."


def _siblings(root: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """Valid keys of the section that an unknown key was written in."""
    model: Any = root
    for part in loc[:-1]:
        if isinstance(part, str) and part in getattr(model, "model_fields", {}):
            model = _inner_model(model.model_fields[part].annotation)
    fields = getattr(model, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _inner_model(argument)
        if found is not None:
            return found
    return None
