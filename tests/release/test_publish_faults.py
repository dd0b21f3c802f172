"""A fault at every request of a publish: whole or absent after it, and finished by a rerun.

The positions come from a run without faults. Each is tried on a fresh server, once with a fault that
happens once, and with kinds that can last also as one that lasts until the publish gives up.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hubserver import FAULT_KINDS, Fault, HubServer
from hubserver.requestlog import Entry
from publishing import (
    REPO,
    Files,
    first_files,
    publish,
    release_of,
    remote_of,
    second_files,
    shown,
    tags,
    write_files,
)

from webfaq_domains.ground.errors import WebFAQError
from webfaq_domains.release.contents import Release
from webfaq_domains.release.publish import Published
from webfaq_domains.release.remote import RetryPolicy

#: Enough for a server to come back, and short: the Hub's waits are not what is tested here.
PATIENT = RetryPolicy(attempts=9, first_wait=0.01, longest_wait=3, timeout=10)
#: For a fault that lasts.
HASTY = RetryPolicy(attempts=2, first_wait=0.01, longest_wait=3, timeout=10)
LASTING = ("409", "429", "500", "503", "reset", "lost", "truncated", "corrupt")
STOPPED = ("stop", "stop_after")


@dataclass
class Story:
    """One way to publish: what is there before, what is published and how, what must be after."""

    before: Files
    release: Release
    asked: dict[str, object] = field(default_factory=dict)

    @property
    def after(self) -> Files:
        return {file.path: file.content() for file in self.release.files}

    def run(self, hub: HubServer, policy: RetryPolicy = PATIENT) -> Published:
        owner = "stranger" if self.asked.get("create_pr") else "writer"
        token = getattr(hub, owner).value
        remote = remote_of(hub, self.release, token=token, policy=policy)
        return publish(hub, self.release, remote, **{"create": "public", **self.asked})


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    one = release_of(write_files(tmp_path_factory.mktemp("first"), first_files()), "1.0.0")
    two = release_of(write_files(tmp_path_factory.mktemp("second"), second_files()), "1.1.0")
    return {
        "first": Story({}, one),
        "second": Story(first_files(), two),
        "proposal": Story(first_files(), two, {"create_pr": True}),
    }


@contextmanager
def serving(story: Story, folder: Path | None) -> Iterator[HubServer]:
    """Serve a fresh Hub on which the story's past has happened; a folder keeps it over a kill."""
    hub = HubServer(Path("unused"), root=folder).start()
    if story.before:
        hub.publish(REPO, story.before, tag="v1.0.0")
    try:
        yield hub
    finally:
        hub.stop()
        assert not hub.failures and not hub.unserved


def check_visible(hub: HubServer, story: Story) -> str:
    """Assert that whatever a reader can see is whole; return what main shows."""
    if hub.service.store.repo("dataset", REPO) is None:
        assert not story.before
        return "absent"
    main = shown(hub)
    assert main in (story.before, story.after)
    old = "v1.0.0" if story.before else ""
    for tag in tags(hub):
        assert shown(hub, tag) == (story.before if tag == old else story.after)
    for ref in hub.repo(REPO).refs:
        assert not ref.startswith("refs/pr/") or shown(hub, ref) == story.after
    return "new" if main == story.after else "old"


def check_finished(hub: HubServer, story: Story) -> None:
    """Assert that the release is there, that it was made once, and that nothing was sent in vain."""
    repo = hub.repo(REPO)
    line = repo.history(repo.commits[repo.refs["refs/heads/main"]])
    made = [commit for commit in line if commit.title == story.release.message().title]
    if story.asked.get("create_pr"):
        assert shown(hub) == story.before and tags(hub) == ["v1.0.0"]
        assert [ref for ref in repo.refs if "/pr/" in ref] == ["refs/pr/1"]
    else:
        assert shown(hub) == shown(hub, story.release.tag) == story.after
        assert len(made) == 1 and len(tags(hub)) == (2 if story.before else 1)
    assert [ref for ref in repo.refs if "heads" in ref] == ["refs/heads/main"]
    puts = hub.log.find("^PUT /storage")
    sent = Counter(entry.path for entry in puts)
    cut = Counter(entry.path for entry in puts if entry.fault or _cut_off(hub, entry))
    assert all(count <= 1 + cut[path] for path, count in sent.items()), (sent, cut)
    known = {hashlib.sha256(content).hexdigest() for content in story.before.values()}
    assert not known & {path.removeprefix("/storage/") for path in sent}
    assert hub.log.leaks(hub.host, hub.writer.value) == []


def _cut_off(hub: HubServer, upload: Entry) -> bool:
    """Whether a server that died may have broken an upload off: up to five go on side by side."""
    deaths = [number for number, fault in hub.faults.fired if fault.kind in STOPPED]
    return any(abs(upload.number - death) <= 6 for death in deaths)


def positions(story: Story) -> int:
    """Return the number of requests of the story when nothing goes wrong."""
    with serving(story, None) as hub:
        story.run(hub)
        check_finished(hub, story)
        return len(hub.log.entries)


def try_at(story: Story, fault: Fault, folder: Path | None) -> str:
    """Publish with a fault, look, publish again, look; return what came of it."""
    with serving(story, folder) as hub:
        hub.faults.add(fault)
        try:
            lasts = fault.times > 1 or (fault.kind in STOPPED and fault.restart_after is None)
            story.run(hub, HASTY if lasts else PATIENT)
            end = "done"
        except WebFAQError as error:
            assert hub.writer.value not in str(error) and hub.stranger.value not in str(error)
            end = "told"
        assert hub.faults.fired, "the fault never happened"
        hub.faults.clear()
        hub.start()
        seen = check_visible(hub, story)
        story.run(hub)
        check_visible(hub, story)
        check_finished(hub, story)
        return f"{end}, {seen}"


TRIED: Counter[str] = Counter()


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAULT_KINDS)
@pytest.mark.parametrize("name", ["first", "second", "proposal"])
def test_whole_or_absent_at_every_position(
    stories: dict[str, Story],
    name: str,
    kind: str,
    tmp_path: Path,
    hurried: None,
    without_xet: None,
) -> None:
    story = stories[name]
    count = positions(story)
    ends: Counter[str] = Counter()
    lasting = kind in LASTING
    for nth in range(1, count + 1):
        for times in (1, 999) if lasting else (1,):
            restarts = (0.02, None) if kind in STOPPED else (None,)
            for restart in restarts:
                fault = Fault(kind, nth, times=times, seconds=0.05, restart_after=restart)
                folder = tmp_path / f"{nth}-{restart}" if kind in STOPPED else None
                ends[try_at(story, fault, folder)] += 1
    print(f"{name} {kind}: {count} requests, {dict(sorted(ends.items()))}")
    TRIED.update({f"{name}: {end}": number for end, number in ends.items()})
    tried = count * (2 if lasting or kind in STOPPED else 1)
    assert sum(ends.values()) == tried


@pytest.mark.slow
def test_enough_positions(stories: dict[str, Story], without_xet: None) -> None:
    counts = {name: positions(story) for name, story in stories.items()}
    print(counts, dict(TRIED), sum(TRIED.values()))
    assert sum(counts.values()) * len(FAULT_KINDS) >= 200


def test_a_handful_of_positions(
    stories: dict[str, Story], tmp_path: Path, hurried: None, without_xet: None
) -> None:
    """What the slow tests do, at the commit and at the tag only."""
    for name, when in (("second", "/commit/main"), ("second", "/tag/"), ("first", "repos/create")):
        for kind in ("503", "lost", "stop_after", "truncated"):
            fault = Fault(kind, when=when, restart_after=0.02)
            folder = tmp_path / f"{name}{kind}{when.replace('/', '')}"
            assert try_at(stories[name], fault, folder).startswith("done")
