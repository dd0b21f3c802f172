"""Publishing: one commit, one tag, and at every moment the old release or the new one."""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from pathlib import Path

import pytest
from hubserver import Fault, HubServer
from publishing import (
    QUICK,
    REPO,
    first_files,
    parquet,
    publish,
    release_of,
    remote_of,
    second_files,
    shown,
    tags,
    write_files,
)

from webfaq_domains.ground.errors import HubError, PublishError, WebFAQError
from webfaq_domains.release.contents import Release, Target, hashed_bytes
from webfaq_domains.release.publish import PublishOptions, plan_release
from webfaq_domains.release.remote import RetryPolicy

WRITES = "^(POST|PUT|DELETE) "


@pytest.fixture
def first(tmp_path: Path) -> Release:
    return release_of(write_files(tmp_path / "first", first_files()), "1.0.0")


@pytest.fixture
def second(tmp_path: Path) -> Release:
    return release_of(write_files(tmp_path / "second", second_files()), "1.1.0")


@pytest.fixture
def other(tmp_path: Path) -> Release:
    """What another publisher has: other content, and the same version as `second`."""
    files = {**first_files(), "data/legal/fra/train-00000-of-00001.parquet": parquet("f")}
    return release_of(write_files(tmp_path / "other", files), "1.1.0")


def line(hub: HubServer) -> list[str]:
    """Return the titles of the commits of main, oldest first."""
    repo = hub.repo(REPO)
    return [commit.title for commit in reversed(repo.history(repo.commits[head(hub)]))]


def head(hub: HubServer) -> str:
    return hub.repo(REPO).refs["refs/heads/main"]


def test_a_release_is_one_commit_and_one_tag(hub: HubServer, first: Release) -> None:
    done = publish(hub, first)
    assert shown(hub) == shown(hub, "v1.0.0") == first_files()
    assert line(hub) == ["initial commit", "Release v1.0.0"]
    assert (done.state, done.sha, tags(hub)) == ("published", head(hub), ["v1.0.0"])
    assert hub.repo(REPO).private
    sha256 = hashlib.sha256(first_files()["manifest.json"]).hexdigest()
    assert f"manifest.json sha256:{sha256}" in hub.repo(REPO).tag_messages["v1.0.0"]


def test_contents_go_up_first_then_one_commit_then_a_look_then_the_tag(
    hub: HubServer, first: Release, second: Release
) -> None:
    old = publish(hub, first).sha
    hub.log.clear()
    new = publish(hub, second).sha
    steps = ["^PUT /storage", "/commit/main", f"^GET .*/tree/{new}", "^POST .*/tag/"]
    times = [[entry.number for entry in hub.log.find(step)] for step in steps]
    assert [len(numbers) for numbers in times] == [2, 1, 1, 1]
    for before, after in itertools.pairwise(times):
        assert max(before) < min(after)
    (commit,) = hub.log.find("/commit/main")
    header, *operations = map(json.loads, commit.body.splitlines())
    assert header["value"]["parentCommit"] == old
    acts = [operation["key"] for operation in operations]
    assert acts.count("deletedFile") == 2 and acts[:2] == ["deletedFile"] * 2
    assert (shown(hub), shown(hub, "v1.0.0")) == (second_files(), first_files())


def test_the_same_again_is_a_quiet_success(hub: HubServer, first: Release) -> None:
    sha = publish(hub, first).sha
    hub.log.clear()
    again = publish(hub, first)
    assert (again.state, again.sha) == ("published already", sha)
    assert hub.log.find(WRITES) == []


def test_other_content_under_a_tag_is_refused(
    hub: HubServer, second: Release, other: Release
) -> None:
    publish(hub, second)
    before = hub.repo(REPO)
    hub.log.clear()
    with pytest.raises(PublishError, match=r"v1\.1\.0 .* is published with other content") as met:
        publish(hub, other)
    assert "Choose another --version" in str(met.value)
    assert hub.repo(REPO) == before and hub.log.find(WRITES) == []


def test_a_version_below_a_published_one_is_refused(
    hub: HubServer, first: Release, second: Release
) -> None:
    publish(hub, second)
    with pytest.raises(PublishError, match=r"would take main back; choose a version above it"):
        publish(hub, first)
    assert shown(hub) == second_files()


def test_the_plan_is_exact_and_changes_nothing(
    hub: HubServer, first: Release, second: Release
) -> None:
    sha = publish(hub, first).sha
    hub.log.clear()
    options = PublishOptions(REPO, "1.1.0")
    plan = plan_release(second, remote_of(hub, second), options)
    assert hub.log.find(WRITES) == []
    found = plan.to_json()
    assert (found["parent"], found["tag"], found["tagged"]) == (sha, "v1.1.0", None)
    assert [(change["act"], change["path"], change["size"]) for change in found["changes"]] == [
        ("delete", "data/legal/deu/train-00000-of-00002.parquet", 308),
        ("delete", "data/legal/deu/train-00001-of-00002.parquet", 308),
        ("replace", "README.md", len(second_files()["README.md"])),
        ("add", "data/legal/deu/train-00000-of-00001.parquet", 308),
        ("add", "data/travel/deu/train-00000-of-00001.parquet", 308),
        ("replace", "manifest.json", 20),
    ]
    assert [file["path"] for file in found["unchanged"]] == [
        "data/health/deu/train-00000-of-00001.parquet"
    ]
    text = plan.text()
    assert f"tag v1.1.0, on top of {sha}" in text
    assert "  - data/legal/deu/train-00001-of-00002.parquet  308 bytes" in text
    assert "2 to add, 2 to replace, 2 to delete" in text
    assert "1 unchanged (308 bytes)" in text
    assert json.loads(json.dumps(found)) == found


def test_a_long_plan_is_shown_by_folder(hub: HubServer, tmp_path: Path) -> None:
    """As JSON it is whole."""
    cells = {
        f"data/{domain}/{language}/train-00000-of-00001.parquet": parquet(domain + language)
        for domain in ("health", "legal", "travel")
        for language in (f"l{number:02}" for number in range(40))
    }
    release = release_of(write_files(tmp_path / "many", {**first_files(), **cells}), "1.0.0")
    options = PublishOptions(REPO, "1.0.0", create="private")
    plan = plan_release(release, remote_of(hub, release), options)
    lines = plan.text().splitlines()
    assert len(lines) < 15
    size = sum(len(cells[path]) for path in cells if "/travel/" in path)
    assert f"  + 40 files in data/travel/  {size:,} bytes" in lines
    assert "  + README.md" in plan.text()
    assert len(plan.to_json()["changes"]) == 125


def test_more_files_than_a_commit_takes_are_refused_before_anything_is_sent(
    hub: HubServer, tmp_path: Path
) -> None:
    files = tuple(hashed_bytes(f"data/{number}.parquet", b"x") for number in range(25_001))
    release = Release(tmp_path, Target(REPO, "dataset"), "1.0.0", files)
    with pytest.raises(PublishError, match=r"25,001 files would change, and .* 25,000") as met:
        publish(hub, release)
    assert "fewer, larger files" in str(met.value)
    assert hub.log.find(WRITES) == []


def test_equal_contents_are_sent_once(hub: HubServer, tmp_path: Path) -> None:
    files = {**first_files(), "again.parquet": parquet("a"), "and/again.parquet": parquet("a")}
    publish(hub, release_of(write_files(tmp_path / "twice", files), "1.0.0"))
    assert shown(hub) == files
    assert len(hub.log.find("^PUT /storage")) == 3


def test_a_gitignore_on_the_hub_leaves_nothing_out(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {".gitignore": b"*.parquet\n"})
    publish(hub, first)
    assert shown(hub) == first_files()
    (asked,) = hub.log.find("/preupload/")
    assert json.loads(asked.body)["gitIgnore"] == ""


def test_a_folder_in_the_place_of_a_file(hub: HubServer, first: Release) -> None:
    hub.publish(REPO, {"data": b"a file"})
    publish(hub, first)
    assert shown(hub) == first_files()


# Two publishers


def test_one_of_two_publishers_wins_and_the_other_is_told(
    hub: HubServer, first: Release, second: Release, other: Release
) -> None:
    sha = publish(hub, first).sha
    hub.faults.add(Fault("action", when="/commit/main", action=lambda: publish(hub, second)))
    with pytest.raises(PublishError) as met:
        publish(hub, other)
    told = str(met.value)
    assert "is published with other content" in told  # it was 1.1.0 as well
    assert shown(hub) == shown(hub, "v1.1.0") == second_files()
    assert shown(hub, sha) == first_files()


def test_the_other_publisher_can_redo(
    hub: HubServer, first: Release, second: Release, other: Release
) -> None:
    """Another version this time: what was sent is not sent again."""
    theirs = Release(other.folder, other.target, "1.0.1", other.files)
    sha = publish(hub, first).sha
    hub.faults.add(Fault("action", when="/commit/main", action=lambda: publish(hub, theirs)))
    with pytest.raises(PublishError) as met:
        publish(hub, second)
    told = str(met.value)
    assert f"from {sha} to {head(hub)}" in told
    assert "v1.1.0 is not published" in told and "run the same command again" in told
    assert "2 to add, 2 to replace, 3 to delete" in told
    assert f"webfaq-domains diff {REPO}@{head(hub)}" in told
    hub.log.clear()
    publish(hub, second)
    assert hub.log.find("^PUT") == []
    assert (shown(hub), tags(hub)) == (second_files(), ["v1.0.0", "v1.0.1", "v1.1.0"])


def test_two_publishers_of_the_same_succeed_both(hub: HubServer, first: Release) -> None:
    hub.faults.add(Fault("action", when="/commit/main", action=lambda: publish(hub, first)))
    assert publish(hub, first).state == "published"
    assert line(hub) == ["initial commit", "Release v1.0.0"]
    assert tags(hub) == ["v1.0.0"]


def test_the_same_version_with_other_content_waits_for_the_tag(
    hub: HubServer, first: Release, second: Release, other: Release
) -> None:
    """Between another's commit and tag: main must not show one and the tag another."""
    publish(hub, first)
    told: list[str] = []

    def try_other() -> None:
        with pytest.raises(PublishError) as met:
            publish(hub, other)
        told.append(str(met.value))

    hub.faults.add(Fault("action", when="/tag/", action=try_other))
    assert publish(hub, second).state == "published"
    assert "holds v1.1.0 with other content and without its tag" in told[0]
    assert shown(hub) == shown(hub, "v1.1.0") == second_files()


def test_a_lower_version_does_not_take_main_back_between_commit_and_tag(
    hub: HubServer, first: Release, second: Release, other: Release
) -> None:
    """No tag tells yet that main holds 1.1.0; its manifest does."""
    publish(hub, first)
    lower = Release(other.folder, other.target, "1.0.1", other.files)
    told: list[str] = []

    def try_lower() -> None:
        with pytest.raises(PublishError) as met:
            publish(hub, lower)
        told.append(str(met.value))

    hub.faults.add(Fault("action", when="/tag/", action=try_lower))
    assert publish(hub, second).state == "published"
    assert "holds v1.1.0, without its tag yet" in told[0] and "take main back" in told[0]
    assert shown(hub) == shown(hub, "v1.1.0") == second_files()
    assert tags(hub) == ["v1.0.0", "v1.1.0"]


def test_a_higher_version_may_follow_one_without_its_tag(
    hub: HubServer, first: Release, second: Release
) -> None:
    publish(hub, first)
    hub.publish(REPO, {"manifest.json": b'{"version": "1.0.5"}'})
    assert publish(hub, second).state == "published"
    assert shown(hub) == second_files()


@pytest.mark.parametrize("manifest", [b"{", b"[]", b'{"version": 7}', b"{}", b'{"version": "x"}'])
def test_a_manifest_on_main_that_is_none_is_no_hindrance(
    hub: HubServer, first: Release, manifest: bytes
) -> None:
    hub.publish(REPO, {"manifest.json": manifest})
    assert publish(hub, first).state == "published"


def test_publishers_at_the_same_time(
    hub: HubServer, first: Release, second: Release, other: Release
) -> None:
    publish(hub, first)
    ends: list[str] = []

    def run(release: Release) -> None:
        try:
            ends.append(publish(hub, release).state)
        except WebFAQError as error:
            ends.append(str(error))

    threads = [threading.Thread(target=run, args=[release]) for release in (second, other, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ends) == 3 and any(end.startswith("published") for end in ends)
    assert shown(hub) == shown(hub, "v1.1.0")
    assert shown(hub) in (second_files(), {name: file.content() for name, file in by_path(other)})
    assert line(hub)[:2] == ["initial commit", "Release v1.0.0"]


def by_path(release: Release):
    return ((file.path, file) for file in release.files)


# A Hub that fails


def test_a_lost_answer_makes_no_second_commit(hub: HubServer, first: Release) -> None:
    hub.faults.add(Fault("lost", when="/commit/main"))
    publish(hub, first)
    assert line(hub) == ["initial commit", "Release v1.0.0"]
    assert shown(hub, "v1.0.0") == first_files()
    assert len(hub.log.find("/commit/main")) == 1


def test_a_lost_answer_to_the_tag(hub: HubServer, first: Release) -> None:
    hub.faults.add(Fault("lost", when="/tag/"))
    assert publish(hub, first).state == "published"
    assert len(hub.log.find("/tag/")) == 1


def test_a_rate_limit_is_waited_for(hub: HubServer, first: Release) -> None:
    hub.faults.add(Fault("429", when="/commit/main", wait=1))
    start = time.monotonic()
    publish(hub, first)
    assert time.monotonic() - start >= 1
    assert [entry.status for entry in hub.log.find("/commit/main")] == [429, 200]


def test_a_rate_limit_that_is_too_long_is_told_with_its_time(
    hub: HubServer, first: Release
) -> None:
    hub.faults.add(Fault("429", when="/commit/main", wait=300))
    with pytest.raises(HubError, match="rate limit is reached; publish again in 300 s") as met:
        publish(hub, first)
    assert (met.value.wait, shown(hub)) == (300, {})
    assert publish(hub, first).state == "published"


def test_a_silent_hub_is_given_up_after_the_timeout(hub: HubServer, first: Release) -> None:
    hub.faults.add(Fault("slow", when="/refs", seconds=20, times=9))
    hasty = remote_of(hub, first, policy=RetryPolicy(2, 0.01, 1, timeout=0.2))
    with pytest.raises(HubError, match="did not answer in time"):
        publish(hub, first, hasty)


def test_a_hub_that_is_away_is_told_plainly(hub: HubServer, first: Release) -> None:
    hub.stop()
    with pytest.raises(HubError, match=r"the Hub cannot be reached .* then publish again"):
        publish(hub, first)


def test_a_tree_that_is_not_what_was_planned_gets_no_tag(hub: HubServer, first: Release) -> None:
    def tamper() -> None:
        commit = hub.repo(REPO).commits[head(hub)]
        del commit.files["manifest.json"]

    hub.faults.add(Fault("action", when="GET .*/tree/", nth=2, action=tamper))
    with pytest.raises(PublishError, match=r"manifest.json is to add; .*, so no tag was made"):
        publish(hub, first)
    assert tags(hub) == []
    assert publish(hub, first).state == "published"
    assert shown(hub, "v1.0.0") == first_files()


def test_waits_are_told_and_quiet_is_quiet(
    hub: HubServer, first: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults.add(Fault("503", when="/commit/main"), Fault("503", when="/tag/"))
    publish(hub, first, remote_of(hub, first, quiet=False))
    told = capsys.readouterr()
    assert "the dataset org/faq, tag v1.0.0, on top of nothing yet\n  + README.md" in told.err
    assert (
        "the Hub answered 503 (injected 503)\nwaiting 0 s, then trying again (2 of 6)" in told.err
    )
    assert told.out == "" and hub.clients.token not in told.err
    hub.faults.add(Fault("503", when="/refs"))
    publish(hub, first)
    assert capsys.readouterr().err == ""


def test_the_last_try_is_not_called_another_one(
    hub: HubServer, first: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults.add(Fault("503", when="/commit/main", times=99))
    hasty = remote_of(hub, first, quiet=False, policy=RetryPolicy(2, 0.01, 1, timeout=5))
    with pytest.raises(HubError, match="503"):
        publish(hub, first, hasty)
    told = capsys.readouterr().err
    assert "trying again (2 of 2)" in told and "(3 of 2)" not in told
    assert "then looking a last time whether it was done" in told


# A folder that changes


def test_a_folder_that_changes_while_it_goes_up_is_refused(
    hub: HubServer, first: Release, second: Release
) -> None:
    publish(hub, first)
    path = second.folder / "manifest.json"
    hub.faults.add(Fault("action", when="^PUT", action=lambda: path.write_text("{}")))
    with pytest.raises(PublishError, match=r"manifest.json changed while the folder was being"):
        publish(hub, second)
    assert shown(hub) == first_files() and tags(hub) == ["v1.0.0"]


def test_a_file_that_appears_or_goes_while_it_goes_up_is_refused(
    hub: HubServer, first: Release, second: Release
) -> None:
    publish(hub, first)
    new = second.folder / "new.parquet"
    hub.faults.add(Fault("action", when="^PUT", action=lambda: new.write_bytes(b"x")))
    with pytest.raises(PublishError, match=r"new.parquet changed"):
        publish(hub, second)
    new.unlink()
    gone = second.folder / "manifest.json"
    gone.unlink()
    with pytest.raises(PublishError, match=r"manifest.json changed"):
        publish(hub, second)
    assert shown(hub) == first_files()


def test_a_large_file_that_changes_between_hash_and_upload_is_refused(
    hub: HubServer, tmp_path: Path
) -> None:
    """Large files are handed over as paths: the hash that the client made of them is compared."""
    large = {**first_files(), "data/large.parquet": b"PAR1" + b"a" * (11 << 20)}
    release = release_of(write_files(tmp_path / "large", large), "1.0.0")
    path = release.folder / "data/large.parquet"
    path.write_bytes(large["data/large.parquet"].replace(b"a", b"x"))
    with pytest.raises(PublishError, match=r"large.parquet changed"):
        publish(hub, release)
    assert shown(hub) == {} and tags(hub) == []
    path.write_bytes(large["data/large.parquet"])
    done = publish(hub, release_of(release.folder, "1.0.0"))
    assert (done.state, shown(hub)) == ("published", large)


# Pull requests


def test_a_pull_request_leaves_main_alone_and_is_made_once(
    hub: HubServer, first: Release, second: Release
) -> None:
    sha = publish(hub, first, create="public").sha
    stranger = remote_of(hub, second, token=hub.stranger.value)
    hub.faults.add(Fault("lost", when="/commit/main"))
    done = publish(hub, second, stranger, create_pr=True)
    assert done.state == "proposed" and done.address.endswith("/discussions/1")
    assert shown(hub, "refs/pr/1") == second_files()
    assert (head(hub), tags(hub)) == (sha, ["v1.0.0"])
    again = publish(hub, second, stranger, create_pr=True)
    assert (again.address, len(hub.repo(REPO).discussions)) == (done.address, 1)
    hub.clients.api().merge_pull_request(REPO, 1, repo_type="dataset")
    assert publish(hub, second, stranger, create_pr=True).state == "merged, not tagged"
    hub.log.clear()
    assert publish(hub, second).state == "published"
    assert hub.log.find("^PUT|/commit/") == [] and tags(hub) == ["v1.0.0", "v1.1.0"]


def test_the_waits_of_the_real_hub_are_not_those_of_the_tests() -> None:
    real = RetryPolicy()
    assert real.first_wait >= 1 and real.timeout > 60 and QUICK.first_wait < 0.1
