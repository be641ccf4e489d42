"""`tradeflows live-check`: which switches of live trading are on, and what confirms the last one.

Shows no key and sends nothing.
"""

from __future__ import annotations

import argparse
import hmac
import shlex
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from flows.cli.exits import Exit
from flows.cli.options import UNSET, OptionParser
from flows.cli.output import print_json, print_line
from slices.domain.accounts import ACCOUNT_PATTERN, is_account_name
from slices.domain.errors import ParameterError
from slices.domain.limits import RiskLimits
from slices.domain.trading_errors import LiveTradingRefusedError
from slices.live_trade.optin import (
    CONFIRMATION,
    ENABLED,
    SWITCH,
    broker_address,
    check_credentials,
    live_confirmation,
)
from slices.runtime.settings import load_settings

if TYPE_CHECKING:
    from slices.runtime.settings import Settings

PREFIX = "limits."
MARKS = {True: "✓", False: "✗"}


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One thing live trading takes, whether it is there, and what is missing."""

    name: str
    is_on: bool
    missing: str = ""


def show_live_check(words: list[str], *, as_json: bool) -> Exit:
    """Print every switch and the digest that confirms this account, address, limits and code.

    Args:
        words: Options: `--account NAME` and limits as flows take them, such as
            `--limits.max-leverage 2`.
        as_json: Whether to print one JSON document.

    Returns:
        0 where everything is on, otherwise the code for settings.

    Raises:
        ParameterError: An option is not allowed.
    """
    account, limits = chosen(words)
    settings = load_settings()
    address = broker_address(settings)
    digest = live_confirmation(account, address=address, limits=limits)
    found = switches(settings, digest)
    if as_json:
        listed = [asdict(each) for each in found]
        print_json(
            {"account": account, "address": address, "confirmation": digest, "switches": listed}
        )
    else:
        _print(account, address, digest, found)
    return Exit.OK if all(each.is_on for each in found) else Exit.SETTINGS


def chosen(words: list[str]) -> tuple[str, RiskLimits]:
    """Read account and limits.

    Raises:
        ParameterError: Saying what was found and what is allowed.
    """
    given = vars(_parser().parse_args(words))
    account = str(given.pop("account"))
    if not is_account_name(account):
        raise ParameterError(parameter="--account", found=repr(account), allowed=ACCOUNT_PATTERN)
    values = {name.removeprefix(PREFIX): v for name, v in given.items() if v is not UNSET}
    try:
        return account, RiskLimits(**values)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        raise ParameterError(
            parameter=PREFIX + ".".join(map(str, first["loc"])),
            found=repr(first["input"]),
            allowed=first["msg"],
        ) from None


def switches(settings: Settings, digest: str) -> tuple[Switch, ...]:
    """List what is on; never what a secret is."""
    is_confirmed = hmac.compare_digest(settings.live_confirmation.encode(), digest.encode())
    return (
        Switch(
            name="first switch",
            is_on=settings.live_trading == ENABLED,
            missing=f"{SWITCH}={ENABLED}",
        ),
        _credentials(settings),
        Switch(
            name="confirmation", is_on=is_confirmed, missing=f"the digest below in {CONFIRMATION}"
        ),
    )


def _credentials(settings: Settings) -> Switch:
    try:
        check_credentials(settings)
    except LiveTradingRefusedError as refused:
        missing = f"found {refused.found}; needed: {refused.needed}"
        return Switch(name="keys and address", is_on=False, missing=missing)
    return Switch(name="keys and address", is_on=True)


def _print(account: str, address: str, digest: str, found: tuple[Switch, ...]) -> None:
    for each in found:
        missing = "" if each.is_on else each.missing
        print_line(f"{MARKS[each.is_on]} {each.name:<17} {missing}".rstrip())
    print_line(f"\n{account} at {address}, with these limits and this code:")
    print_line(f"export {CONFIRMATION}={shlex.quote(digest)}")


def _parser() -> argparse.ArgumentParser:
    parser = OptionParser(
        prog="tradeflows live-check",
        description="Show which switches of live trading are on, and the digest that confirms it.",
        argument_default=UNSET,
        allow_abbrev=False,
    )
    parser.add_argument("--account", required=True, metavar="NAME", help="account in the ledger")
    group = parser.add_argument_group("limits", "What the account may not go beyond.")
    for name, field in RiskLimits.model_fields.items():
        spellings = sorted({f"--{PREFIX}{name}", f"--{PREFIX}{name}".replace("_", "-")})
        text = (field.description or "").replace("%", "%%")
        group.add_argument(*spellings, dest=f"{PREFIX}{name}", metavar="VALUE", help=text)
    return parser
