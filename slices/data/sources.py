"""The sources by name; a source's packages are imported only when it is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast, get_args

from slices.domain.errors import ParameterError
from slices.domain.parameters import SourceName

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import requests

    from slices.domain.bars import Adjustment
    from slices.domain.ports import BarSource

TIMEOUT_SECONDS = 30.0


def open_source(
    name: str,
    *,
    feed: str | None = None,
    symbols: Sequence[str] = (),
    basis: Adjustment | None = None,
    alpaca_key: str = "",
    alpaca_secret: str = "",
    alpaca_url: str | None = None,
    yahoo_session: requests.Session | None = None,
    yahoo_cache: Path | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> BarSource:
    """Open a source of bars.

    Args:
        name: embedded, files, yfinance or alpaca.
        feed: A feed of the source, or the path of a file or folder; None for its default.
        symbols: What will be asked of it; the embedded source chooses its feed by them.
        basis: What the prices of `files` are adjusted for; None to tell from the file.
        alpaca_key: Key id of the Alpaca account.
        alpaca_secret: Secret key of the Alpaca account.
        alpaca_url: Address of Alpaca's data service; None for the official one.
        yahoo_session: HTTP session for Yahoo, which the source then owns; None for its own.
        yahoo_cache: Folder in which the yfinance package keeps time zones and cookies.
        timeout_seconds: How long to wait for any one answer.

    Raises:
        ParameterError: There is no such source or feed.
        SymbolNotFoundError: No embedded feed has all symbols.
        SourceNotInstalledError: The source's optional package is not installed.
        AuthMissingError: Credentials are needed and absent.
        DataError: A file does not hold bars.
    """
    match name:
        case "embedded":
            from slices.data.adapters.embedded import open_embedded

            return open_embedded(feed, symbols)
        case "files":
            from slices.data.adapters.files import open_files

            return open_files(feed, basis=basis)
        case "yfinance":
            from slices.data.adapters.yahoo import open_yahoo

            return open_yahoo(
                feed,
                session=yahoo_session,
                cache_folder=yahoo_cache,
                timeout_seconds=timeout_seconds,
            )
        case "alpaca":
            from slices.data.adapters.alpaca import open_alpaca

            account = {"key": alpaca_key, "secret": alpaca_secret}
            return open_alpaca(feed, **account, url=alpaca_url, timeout_seconds=timeout_seconds)
    allowed = ", ".join(cast("tuple[str, ...]", get_args(SourceName)))
    raise ParameterError(parameter="source", found=repr(name), allowed=allowed)
