from __future__ import annotations

import random
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from slices.domain.errors import StorageError
from slices.runtime.atomic import UNFINISHED, make_private, read_whole, write_whole
from tests.support.frames import repository

SIZE = 24_000_000

WRITER = f"""
    import sys
    from pathlib import Path
    from slices.runtime.atomic import write_whole

    file = Path(sys.argv[1])
    while True:
        for letter in (b"a", b"b"):
            write_whole(file, letter * {SIZE})
            print(letter, flush=True)
"""


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert read_whole(file) == b"two"
    assert [each.name for each in file.parent.iterdir()] == ["file"]


def test_a_private_file_is_its_owners_alone_and_keeps_what_is_in_it(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file"
    make_private(file)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"", 0o600)
    file.write_bytes(b"content")
    file.chmod(0o644)
    make_private(file)
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"content", 0o600)


def test_a_private_file_is_made_where_a_link_leads_to(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "elsewhere" / "file"
    link.symlink_to(target)
    make_private(link)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_r10_a_write_killed_midway_leaves_a_whole_file(tmp_path: Path) -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    file = tmp_path / "file"
    unfinished = 0
    for _ in range(8):
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), str(file)],
            stdout=subprocess.PIPE,
            cwd=repository(),
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(chance.uniform(0, 0.06))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        content = file.read_bytes()
        assert content in (b"a" * SIZE, b"b" * SIZE)
        left = list(tmp_path.glob(f"*{UNFINISHED}"))
        unfinished += len(left)
        for each in left:
            each.unlink()
    assert unfinished, "no writer was killed midway; the test saw nothing"


def test_r19_a_refused_write_names_the_file_and_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(StorageError, match="folder/inside: is a directory"):
        write_whole(folder / "inside", b"content")
    assert [each.name for each in folder.iterdir()] == ["inside"]
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(StorageError, match="file/below: "):
        write_whole(tmp_path / "file" / "below", b"content")
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="gone: no such file"):
        read_whole(tmp_path / "gone")
