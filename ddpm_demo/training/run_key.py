"""Who may change a run: whoever holds its key, of which the run's folder keeps only the hash."""

import hashlib
import hmac
import secrets
from pathlib import Path

from ddpm_demo.core.config import DemoError
from ddpm_demo.store.files import write_atomically

KEY_FILE = "key.sha256"
KEY_BYTES = 16


def new_key(directory: Path, known: str | None = None) -> str:
    """Make and return the key of the run in a directory, or give it one that its visitor has already.

    Raises DemoError where its hash cannot be written.
    """
    key = known or secrets.token_urlsafe(KEY_BYTES)
    try:
        write_atomically(directory / KEY_FILE, _hash(key).encode())
    except OSError as error:
        raise DemoError("cannot write {path}: {why}", path=directory, why=error.strerror) from None
    return key


def fits(directory: Path, key: str) -> bool:
    """Return whether this is the key of the run in a directory; a run without one has no key that fits."""
    try:
        kept = (directory / KEY_FILE).read_text("ascii")
    except (OSError, ValueError):
        return False
    return hmac.compare_digest(kept, _hash(key))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
