"""Everything it takes to trade real money; what is missing is refused before anything happens.

The caller says `live`, one variable enables it, another repeats the digest that
`tradeflows live-check` prints for exactly this account, address, limits and code, and the keys are
real ones of a live account. A change of any of them needs a new confirmation.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from slices.domain.accounts import TradingMode
from slices.domain.fingerprint import fingerprint
from slices.domain.trading_errors import LiveTradingRefusedError
from slices.live_trade.broker import LIVE_ADDRESS, mode_of
from slices.runtime.settings import Settings, load_settings
from slices.runtime.sources import source_digest

if TYPE_CHECKING:
    from pydantic import SecretStr

    from slices.domain.limits import RiskLimits

ENABLED = "enabled"
SWITCH = "TRADEFLOWS_LIVE_TRADING"
CONFIRMATION = "TRADEFLOWS_LIVE_CONFIRMATION"
ADDRESS = "TRADEFLOWS_BROKER_URL"
KEY, SECRET = "TRADEFLOWS_BROKER_KEY", "TRADEFLOWS_BROKER_SECRET"
SHORTEST_KEY = 16
FEWEST_CHARACTERS = 6
PLACEHOLDERS = (
    "changeme", "change_me", "placeholder", "example", "dummy", "secret", "apikey", "api_key",
    "your", "xxx", "todo", "test", "none", "insert", "fake", "sample",
)  # fmt: skip
PAPER_KEY = "PK"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, kw_only=True, repr=False)
class Credentials:
    """Where and as whom to trade; never shown."""

    key: str
    secret: str
    address: str
    timeout_seconds: float


def live_confirmation(account: str, *, address: str, limits: RiskLimits) -> str:
    """Return the digest that confirms live trading of an account under limits with this code.

    Args:
        account: Name of the account in the ledger.
        address: Of the broker's trading service.
        limits: What orders are judged by.
    """
    code = source_digest("flows", "slices")
    return fingerprint("live trading", account, address, limits, code)


def broker_address(settings: Settings) -> str:
    """Return the address of the broker's trading service."""
    return settings.broker_url or LIVE_ADDRESS


def check_opt_in(account: str, *, execution: str, limits: RiskLimits) -> Credentials:
    """Check every switch of live trading and return what to trade with.

    Args:
        account: Name of the account in the ledger.
        execution: What the caller asked for; only `live` will do.
        limits: What orders will be judged by.

    Raises:
        LiveTradingRefusedError: Saying what was found and what is needed.
        SettingsError: A setting cannot be used.
    """
    if execution != "live":
        raise _refused(f"execution '{execution}'", "execution 'live'")
    settings = load_settings()
    if settings.live_trading != ENABLED:
        found = f"{SWITCH}={settings.live_trading!r}" if settings.live_trading else "nothing"
        raise _refused(found, f"{SWITCH}={ENABLED}")
    credentials = check_credentials(settings)
    wanted = live_confirmation(account, address=credentials.address, limits=limits)
    if not hmac.compare_digest(settings.live_confirmation.encode(), wanted.encode()):
        kind = "another digest" if settings.live_confirmation else "nothing"
        raise _refused(
            f"{kind} in {CONFIRMATION}",
            f"what `tradeflows live-check --account {account}` prints for this account, address, "
            "limits and code",
        )
    return credentials


def check_credentials(settings: Settings) -> Credentials:
    """Check that keys and address are real ones of a live account.

    Raises:
        LiveTradingRefusedError: Naming the variable, never its value.
    """
    address = broker_address(settings)
    _check_address(address)
    key = _real(settings.broker_key, KEY)
    secret = _real(settings.broker_secret, SECRET)
    if key.startswith(PAPER_KEY):
        raise _refused(f"a paper key in {KEY}", "the key id of a live account")
    if key == secret:
        raise _refused(f"the same text in {KEY} and {SECRET}", "a key id and its secret")
    return Credentials(
        key=key, secret=secret, address=address, timeout_seconds=settings.broker_timeout_seconds
    )


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    if mode_of(address) is not TradingMode.LIVE:
        raise _refused(f"the address of paper accounts in {ADDRESS}", "that of live accounts")
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise _refused(f"an address that is not https in {ADDRESS}", "an https address")


def _real(held: SecretStr | None, variable: str) -> str:
    value = held.get_secret_value() if held else ""
    if not value:
        raise _refused(f"nothing in {variable}", "a key of a live account")
    lower = value.lower()
    is_fake = len(value) < SHORTEST_KEY or len(set(value)) < FEWEST_CHARACTERS
    if is_fake or not value.isascii() or any(each in lower for each in PLACEHOLDERS):
        raise _refused(f"a placeholder in {variable}", "a key of a live account")
    return value


def _refused(found: str, needed: str) -> LiveTradingRefusedError:
    return LiveTradingRefusedError(found=found, needed=needed)
