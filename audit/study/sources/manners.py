"""Keeps the `datasets` library quiet, to itself, and from waiting for a network that is absent."""

from __future__ import annotations

import os
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from audit.evidence.errors import MissingExtra


@contextmanager
def undisturbed() -> Iterator[None]:
    """No progress bars and no counting of downloads while the library works.

    Raises:
        MissingExtra: The library is not installed.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import datasets
    except ImportError as error:
        raise MissingExtra("datasets", "torch", "This data source") from error
    bars, counts = datasets.are_progress_bars_disabled(), datasets.config.HF_UPDATE_DOWNLOAD_COUNTS
    datasets.disable_progress_bars()
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    try:
        yield
    finally:
        datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = counts
        if not bars:
            datasets.enable_progress_bars()


@contextmanager
def no_waiting() -> Iterator[None]:
    """Without a network, takes what is cached or fails at once, not after half a minute."""
    import datasets
    from huggingface_hub import constants

    host = urllib.parse.urlsplit(constants.ENDPOINT).hostname
    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    if not urllib.request.getproxies() and not _resolves(host):
        constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


def _resolves(host: str | None) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False
