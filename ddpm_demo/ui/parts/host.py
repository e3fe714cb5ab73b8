"""The host: the person who started the server, and may do on it what no other visitor may."""

import hmac
import secrets
from collections.abc import Collection
from urllib.parse import urlencode

KEY_BYTES = 12
PARAMETER = "host"  # of the page's address; `static/keys.js` reads it


class Host:
    """Known by a key that only the server's terminal shows; alone with the server, every visitor is the host."""

    def __init__(self, *, alone: bool = True) -> None:
        self.alone = alone
        self.key = secrets.token_urlsafe(KEY_BYTES)

    def is_among(self, keys: Collection[str]) -> bool:
        """Return whether a visitor who holds these keys is the host."""
        return self.alone or any(hmac.compare_digest(key.encode(), self.key.encode()) for key in keys)

    def address(self, address: str) -> str:
        """Return the page's address as the host opens it."""
        return address if self.alone else f"{address}?{urlencode({PARAMETER: self.key})}"
