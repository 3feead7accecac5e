"""Names of examples and reviewers for those outside: HMACs under a key that stays with the run."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

from audit.evidence.errors import InputError, StoreError
from audit.evidence.files import write_file

KEY_FILE = "dossier.key"
KEY_BYTES = 32
SHOWN = 16  # hexadecimal digits of a hidden name: 64 bits, so that no two of a billion meet

_WORD = re.compile(r"[^\s,;:()\[\]{}'\"]+")


def dossier_key(run: Path, place: Path | None = None) -> bytes:
    """The key of a run's dossiers; made once, kept beside the run and never in a dossier.

    Args:
        run: The run folder, whose `dossier.key` it is by default.
        place: Another file for it, as for a run folder that is read-only.

    Raises:
        StoreError: It is not there and cannot be written.
        InputError: What is there is no key.
    """
    path = run / KEY_FILE if place is None else place
    if not path.exists():
        _make(path)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} is no key of a dossier ({error}): remove it, and names will be hidden anew."
        ) from error
    if len(key) != KEY_BYTES:
        raise InputError(
            f"{path} holds {len(key)} bytes instead of {KEY_BYTES}: remove it, and names will be "
            "hidden anew."
        )
    return key


def _make(path: Path) -> None:
    try:
        write_file(path, secrets.token_hex(KEY_BYTES).encode())
        path.chmod(0o600)
    except (OSError, StoreError) as error:
        cause = error if isinstance(error, OSError) else error.__cause__
        why = getattr(cause, "strerror", None) or error
        raise StoreError(
            f"The key that hides names cannot be kept in {path} ({why}): give --key a file that "
            "can be written and stays private, and --out a folder if this one is read-only."
        ) from error


def hide(key: bytes, name: object, kind: str = "example") -> str:
    """A name that nobody without the key can turn back, and that is the same every time."""
    message = f"{kind}\x00{name}".encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:SHOWN]


def scrub(key: bytes, text: str, names: Iterable[object]) -> str:
    """The text with every word that is the name of an example hidden.

    Bare numbers are left: where examples are numbered, every count would read as one of them.
    """
    known = {str(name) for name in names if not str(name).isdigit()}

    def word(found: re.Match[str]) -> str:
        whole = found.group()
        bare = whole.rstrip(".!?")
        for each in (whole, bare):
            if each in known:
                return hide(key, each) + whole[len(each) :]
        return whole

    return _WORD.sub(word, text)
