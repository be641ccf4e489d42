"""The notification blocks that hold where alerts are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deployments.plan import Change, Stage, paged
from deployments.receivers import BLOCK_TYPES, Tone, block_name

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.blocks.notifications import AbstractAppriseNotificationBlock
    from prefect.client.orchestration import SyncPrefectClient
    from prefect.client.schemas.objects import BlockDocument

KINDS = {each.get_block_type_slug(): each for each in BLOCK_TYPES}
OURS = frozenset(map(block_name, Tone))


def blocks_stage(wanted: dict[str, AbstractAppriseNotificationBlock]) -> Stage:
    """Save the blocks of alerts, and delete what an address before left behind."""

    def compare(client: SyncPrefectClient) -> tuple[Change, ...]:
        found = _saved(client)
        stale = [each for each in found if not _is_kind(each, wanted.get(each.name or ""))]
        kept = {each.name: each for each in found if each not in stale}
        return (
            *(_deletion(each) for each in stale),
            *(
                _saving(name, block, is_new=name not in kept)
                for name, block in wanted.items()
                if name not in kept or not _holds(kept[name], block)
            ),
        )

    return compare


def block_ids(client: SyncPrefectClient) -> dict[str, UUID]:
    """Find the saved blocks of alerts by name."""
    return {each.name: each.id for each in _saved(client) if each.name}


def _saved(client: SyncPrefectClient) -> list[BlockDocument]:
    every = paged(lambda offset: client.read_block_documents(limit=200, offset=offset))
    return [each for each in every if each.name in OURS and _slug(each) in KINDS]


def _slug(document: BlockDocument) -> str:
    return document.block_type.slug if document.block_type else ""


def _is_kind(document: BlockDocument, block: AbstractAppriseNotificationBlock | None) -> bool:
    return block is not None and _slug(document) == block.get_block_type_slug()


def _holds(document: BlockDocument, block: AbstractAppriseNotificationBlock) -> bool:
    kind = KINDS[_slug(document)]
    return bool(kind.model_validate(document.data).model_dump() == block.model_dump())


def _deletion(document: BlockDocument) -> Change:
    return Change(
        line=f"delete block {_slug(document)}/{document.name}",
        make=lambda client: client.delete_block_document(document.id),
    )


def _saving(name: str, block: AbstractAppriseNotificationBlock, *, is_new: bool) -> Change:
    what = "create" if is_new else "update"
    return Change(
        line=f"{what} block {block.get_block_type_slug()}/{name}",
        make=lambda _client: block.save(name, overwrite=True),
    )
