"""Who is told about alerts: one notification block of Prefect for each level.

Prefect sends through Apprise, which says when a receiver did not take a message; the block for any
webhook does not, and is tried four times at once. So any address that is not Discord's is given to
Apprise by the block named after Slack, the one that takes every address Apprise knows. The address
is the secret part of the block.
"""

from __future__ import annotations

import warnings
from enum import StrEnum
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from prefect.blocks.notifications import (
    AbstractAppriseNotificationBlock,
    DiscordWebhook,
    SlackWebhook,
)
from pydantic import SecretStr

from slices.domain.errors import SettingsError

if TYPE_CHECKING:
    from slices.domain.alerts import Level

BLOCK_TYPES: tuple[type[AbstractAppriseNotificationBlock], ...] = (SlackWebhook, DiscordWebhook)
NEEDED = (
    "an address that begins with https://, http:// or mailtos://, such as a webhook, one of Slack"
    " or Discord, or mailtos://user:password@host?from=me@example.org&to=you@example.org"
)


class Tone(StrEnum):
    """What a message is about: one block each, so that receivers can tell them apart."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"
    RESOLVED = "resolved"


KINDS: dict[Tone, Literal["info", "success", "warning", "failure"]] = {
    Tone.INFO: "info",
    Tone.WARNING: "warning",
    Tone.ERROR: "failure",
    Tone.CRITICAL: "failure",
    Tone.RESOLVED: "success",
}


def tone(level: Level) -> Tone:
    """Return the tone of a level."""
    return Tone(level.value)


def block_name(of: Tone) -> str:
    """Name the block of a tone.

    >>> block_name(Tone.CRITICAL)
    'tradeflows-critical'
    """
    return f"tradeflows-{of.value}"


def wanted_blocks(address: SecretStr | None) -> dict[str, AbstractAppriseNotificationBlock]:
    """Make a block for each tone; none where nobody is to be told.

    Raises:
        SettingsError: Where the address is none that a message can be sent to.
    """
    if address is None:
        return {}
    with warnings.catch_warnings():
        # Apprise imports what later versions of Python lack.
        warnings.simplefilter("ignore", DeprecationWarning)
        return {block_name(each): _block(address.get_secret_value(), each) for each in Tone}


def _block(address: str, of: Tone) -> AbstractAppriseNotificationBlock:
    parts = urlsplit(address)
    if parts.hostname in {"discord.com", "discordapp.com"}:
        return _discord(parts.path, of)
    if parts.hostname in {"hooks.slack.com", "hooks.slack-gov.com"}:
        return _checked(address, of)
    return _checked(apprise_address(address, of), of)


def _discord(path: str, of: Tone) -> DiscordWebhook:
    words = path.strip("/").split("/")
    if len(words) != 4 or words[:2] != ["api", "webhooks"]:
        raise _refused("an address of Discord that is no webhook")
    identifier, token = SecretStr(words[2]), SecretStr(words[3])
    return DiscordWebhook(webhook_id=identifier, webhook_token=token, notify_type=KINDS[of])


def _checked(address: str, of: Tone) -> SlackWebhook:
    from apprise import Apprise

    if Apprise.instantiate(address, suppress_exceptions=True) is None:
        raise _refused("an address that cannot be read")
    return SlackWebhook(url=SecretStr(address), notify_type=KINDS[of])


def apprise_address(address: str, of: Tone) -> str:
    """Write a webhook's or mailbox's address as Apprise wants it.

    A webhook gets JSON with `title`, `message`, `type` and `level`.

    Args:
        address: As a person writes it.
        of: What its messages are about.

    Raises:
        SettingsError: With another scheme, or without a host.

    >>> apprise_address("https://example.org/hook?key=1", Tone.ERROR)
    'jsons://example.org/hook?-key=1&%3Alevel=error&format=text'
    """
    parts = urlsplit(address)
    if not parts.hostname or parts.scheme not in {"http", "https", "mailto", "mailtos"}:
        raise _refused(f"an address that begins with {parts.scheme or 'no scheme'}:")
    given = parse_qsl(parts.query, keep_blank_values=True)
    if parts.scheme.startswith("mailto"):
        query = [("format", "text"), *given]
        return urlunsplit(parts._replace(query=urlencode(query)))
    scheme = {"http": "json", "https": "jsons"}[parts.scheme]
    query = [(f"-{name}", value) for name, value in given]
    query += [(":level", of.value), ("format", "text")]
    path = quote(parts.path, safe="/%")
    return urlunsplit((scheme, parts.netloc, path, urlencode(query), ""))


def _refused(found: str) -> SettingsError:
    return SettingsError(setting="TRADEFLOWS_ALERTS_URL", found=found, needed=NEEDED)
