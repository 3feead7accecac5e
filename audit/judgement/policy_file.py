"""Reads a policy from a YAML file of its own, so that limits may have an owner and a history."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from audit.evidence.errors import ConfigError
from audit.judgement.limits import Policy


def read_policy(path: str | Path) -> Policy:
    """Reads the limits of a YAML file: its whole mapping, or what stands under the key `policy`.

    Raises:
        ConfigError: It cannot be read, is not YAML, or a limit is wrong.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        stated = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read {path} ({error}): name a YAML file of limits.") from error
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML ({where}): mend that line.") from error
    if isinstance(stated, dict) and set(stated) == {"policy"}:
        stated = stated["policy"]
    if not isinstance(stated, dict):
        raise ConfigError(
            f"{path} states no limits: write one per line, `max_accuracy_drop: 0.01`."
        )
    try:
        return Policy.model_validate(stated)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}, key {key}: {first['msg']}.") from error
