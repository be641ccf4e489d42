from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from slices.domain.learning_errors import ModelError, ModelNotFoundError, TamperedModelError
from slices.domain.models import ModelVersion
from slices.runtime import registry
from slices.runtime.mlflow_store import open_client, open_tracking
from slices.runtime.model_files import MANIFEST_TAG, MODEL_TAG, TrackedModel
from slices.runtime.registered_files import files_of
from slices.runtime.tracking import TrackedPart, TrackedRun, track

pytestmark = pytest.mark.slow

FILES = (("bundle.json", b'{"kind": "linear"}'), ("scores.arrow", bytes(range(256))))


@pytest.fixture(scope="module", autouse=True)
def _store() -> None:
    open_tracking()


def run_of(key: str, files: tuple[tuple[str, bytes], ...] = FILES) -> str:
    model = TrackedModel(kind="linear", files=files, inputs=("a", "b"), example=(1.0, float("nan")))
    main = TrackedPart(name=key, parameters=(), metrics=())
    return track(TrackedRun(experiment="models-of-a-test", key=key, main=main, model=model))


def registered(name: str, key: str = "first") -> ModelVersion:
    files = (*FILES[:1], ("scores.arrow", key.encode()))
    run_id = run_of(f"{name}-{key}", files)
    return registry.register(name, run_id=run_id, files=files, key=key, about=(("kind", "linear"),))


def stored_files(version: ModelVersion) -> Path:
    client: Any = open_client()
    tags = client.get_model_version(version.name, str(version.version)).tags
    place = client.get_logged_model(tags[MODEL_TAG]).artifact_location
    return Path(str(place).removeprefix("file://"))


def test_what_was_registered_is_what_is_read() -> None:
    run_id = run_of("plain")
    version = registry.register("plain", run_id=run_id, files=FILES, key="k")
    assert files_of(version) == FILES
    assert (version.name, version.version, version.run_id) == ("plain", 1, run_id)
    assert version.aliases == ("challenger",)
    assert "plain" in registry.names()
    assert registry.versions("plain") == (version,)


def test_a_run_without_a_model_takes_the_files() -> None:
    part = TrackedPart(name="bare", parameters=(), metrics=())
    run_id = track(TrackedRun(experiment="models-of-a-test", key="bare", main=part))
    version = registry.register("bare", run_id=run_id, files=FILES, key="k")
    assert files_of(version) == FILES


def test_a_run_with_another_model_is_refused() -> None:
    run_id = run_of("other")
    with pytest.raises(ModelError, match="other files"):
        registry.register("other", run_id=run_id, files=FILES[:1], key="k")
    assert registry.versions("other") == ()


def test_the_same_key_is_the_same_version() -> None:
    first = registered("same")
    assert registered("same") == first
    second = registered("same", "second")
    assert second.version == 2
    assert [each.version for each in registry.versions("same")] == [1, 2]
    assert second.digest != first.digest


def test_threads_that_register_the_same_make_one_version() -> None:
    run_id = run_of("threads")
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda _: registry.register("threads", run_id=run_id, files=FILES, key="k"),
                range(4),
            )
        )
    assert {each.version for each in made} == {1}


def test_an_unknown_model_has_no_versions() -> None:
    assert registry.versions("nobody") == ()
    assert registry.version_by_alias("nobody", "champion") is None
    for change in (registry.retire, registry.rollback):
        with pytest.raises(ModelNotFoundError):
            change("nobody", "gone")


def test_the_champion_trades_and_the_one_before_comes_back_in_one_step() -> None:
    first, second, third = (registered("line", key) for key in ("first", "second", "third"))
    for each in (first, second, third):
        registry.set_champion("line", each.version, "better")
        found = registry.version_by_alias("line", "champion")
        assert found is not None
        assert found.version == each.version
    assert registry.version_by_alias("line", "challenger") is None
    assert registry.rollback("line", "worse than thought").version == second.version
    assert registry.rollback("line", "worse as well").version == first.version
    with pytest.raises(ModelError, match="no earlier champion"):
        registry.rollback("line", "once more")
    champion = registry.version_by_alias("line", "champion")
    assert champion is not None
    assert champion.version == first.version


def test_who_was_rolled_back_does_not_come_back_by_a_rollback() -> None:
    first, second = registered("round"), registered("round", "second")
    registry.set_champion("round", first.version, "first")
    registry.set_champion("round", second.version, "second")
    registry.rollback("round", "bad")
    registry.retire("round", "dead")
    with pytest.raises(ModelError, match="no earlier champion"):
        registry.rollback("round", "anybody")


def test_a_retired_champion_trades_no_more() -> None:
    first, second = registered("old"), registered("old", "second")
    registry.set_champion("old", first.version, "first")
    registry.set_champion("old", second.version, "second")
    retired = registry.retire("old", "its skill is gone")
    assert (retired.version, retired.retired) == (second.version, "its skill is gone")
    assert registry.version_by_alias("old", "champion") is None
    with pytest.raises(ModelError, match="its skill is gone"):
        registry.set_champion("old", second.version, "again")
    assert registry.rollback("old", "better than nobody").version == first.version


def test_a_champion_must_be_registered() -> None:
    registered("one")
    with pytest.raises(ModelNotFoundError, match="version 7"):
        registry.set_champion("one", 7, "lucky")


def test_what_is_said_of_a_version_can_be_read() -> None:
    version = registered("said")
    registry.set_champion("said", version.version, "beats always equal")
    said = dict(registry.said_of(version))
    assert said["kind"] == "linear"
    assert said["reason"] == "beats always equal"


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.target,)


@pytest.mark.parametrize("name", ["bundle.json", "scores.arrow", "MLmodel"])
def test_r40_a_changed_file_is_refused(name: str, tmp_path: Path) -> None:
    version = registered(f"changed-{name.lower().replace('.', '-')}")
    bomb = tmp_path / "exploded"
    (stored_files(version) / name).write_bytes(pickle.dumps(Bomb(bomb)))
    with pytest.raises(TamperedModelError, match=name):
        files_of(version)
    assert not bomb.exists()


def test_r40_a_single_flipped_bit_is_refused() -> None:
    version = registered("bit")
    file = stored_files(version) / "scores.arrow"
    content = bytearray(file.read_bytes())
    content[0] ^= 1
    file.write_bytes(content)
    with pytest.raises(TamperedModelError):
        files_of(version)


def test_r40_a_pickle_beside_the_files_is_refused_without_being_opened(tmp_path: Path) -> None:
    version = registered("pickle")
    bomb = tmp_path / "exploded"
    (stored_files(version) / "model.pkl").write_bytes(pickle.dumps(Bomb(bomb)))
    with pytest.raises(TamperedModelError, match="other files"):
        files_of(version)
    assert not bomb.exists()
    pickle.loads((stored_files(version) / "model.pkl").read_bytes())  # noqa: S301 - our own
    assert bomb.exists(), "the bomb of this test works"


def test_r40_a_missing_file_is_refused() -> None:
    version = registered("missing")
    (stored_files(version) / "scores.arrow").unlink()
    with pytest.raises(TamperedModelError):
        files_of(version)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"bundle.json":"00"}', "not json"])
def test_r40_changed_digests_are_refused(text: str) -> None:
    version = registered("digests")
    client: Any = open_client()
    known = client.get_model_version("digests", "1").tags[MANIFEST_TAG]
    client.set_model_version_tag("digests", "1", MANIFEST_TAG, text)
    with pytest.raises(TamperedModelError):
        files_of(version)
    client.set_model_version_tag("digests", "1", MANIFEST_TAG, known)
    assert files_of(version)


CHANGES = """
from slices.runtime import registry
import sys
name, version = sys.argv[1], int(sys.argv[2])
for _ in range(3):
    with registry.changing(name):
        before = registry.version_by_alias(name, "champion")
        registry.set_champion(name, version, "mine")
        after = registry.version_by_alias(name, "champion")
        assert after is not None and after.version == version
"""


def test_r44_two_processes_change_a_champion_one_after_the_other() -> None:
    first, second = registered("two"), registered("two", "second")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CHANGES, "two", str(each.version)], cwd=Path(__file__).parents[3]
        )
        for each in (first, second)
    ]
    assert [each.wait(100) for each in processes] == [0, 0]
    champion = registry.version_by_alias("two", "champion")
    assert champion is not None
    last, other = champion.version, ({1, 2} - {champion.version}).pop()
    assert registry.rollback("two", "back").version == other != last
