"""`locate`: a folder, or a repository on the Hub at one commit; and the token, which no error shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hubserver import HubServer

from webfaq_domains.ground.errors import RecipeError, SourceError, StagedError
from webfaq_domains.ground.hub import Address, Repository, locate
from webfaq_domains.ground.hub_errors import explain, hide_token

#: Calls run in a process of its own: the client reads the Hub's address when it is imported.
RUN = """
import json, sys
from pathlib import Path
from webfaq_domains.ground.errors import WebFAQError
from webfaq_domains.ground.hub import locate

def met(place, types):
    try:
        found = locate(place, types=tuple(types), revision_needed="@" in place)
    except WebFAQError as error:
        return {"error": str(error)}
    if isinstance(found, Path):
        return {"folder": str(found)}
    folder = found.download_all(["*.md"])
    return {"type": found.repo_type, "sha": found.sha, "tags": found.tags(), "files": sorted(found.files()),
            "here": sorted(path.name for path in folder.iterdir()), "text": str(found)}

print(json.dumps([met(*case) for case in json.loads(sys.argv[1])]))
"""


def located(hub: HubServer, *cases: tuple[str, list[str]]) -> list[dict[str, Any]]:
    return hub.clients.json(RUN, json.dumps(cases))


ANY = ["dataset", "model", "space"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("org/faq", Address("org/faq")),
        ("org/faq@v1.0.0", Address("org/faq", None, "v1.0.0")),
        ("models/org/faq@refs/pr/3", Address("org/faq", "model", "refs/pr/3")),
        ("spaces/org/a.b-c_d", Address("org/a.b-c_d", "space")),
        ("gpt2", Address("gpt2")),
    ],
)
def test_addresses_are_read(text: str, address: Address) -> None:
    assert Address.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "/org/faq", "./faq", "../faq", "~/faq", "a/b/c", "org/f q", "org/faq@", "a/b@c@d"]
)
def test_paths_are_no_addresses(text: str) -> None:
    assert Address.parse(text) is None


def test_a_folder_that_is_there_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "org" / "faq").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert locate("org/faq") == Path("org/faq")
    assert locate(tmp_path) == tmp_path


@pytest.mark.parametrize("place", ["nowhere", "./org/faq", "/no/such/folder", "a/b/c"])
def test_what_is_neither_is_refused_as_the_caller_wants(place: str) -> None:
    with pytest.raises(RecipeError, match="no such folder, and it is not a repository"):
        locate(place, RecipeError)


def test_a_revision_may_be_needed() -> None:
    with pytest.raises(SourceError, match="name the revision too: org/faq@REVISION"):
        locate("org/faq", SourceError, revision_needed=True)


def test_another_type_than_the_one_wanted_is_refused() -> None:
    with pytest.raises(StagedError, match="models/org/faq is a model; expected a dataset"):
        locate("models/org/faq@v1", types=("dataset",))


def test_a_model_alone_may_lack_an_organisation() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    assert locate(f"gpt2@{sha}", types=("model",)) == Repository("model", "gpt2", sha, sha)
    with pytest.raises(StagedError, match="it is not a repository"):
        locate(f"gpt2@{sha}")


def test_a_full_sha_is_not_asked_for() -> None:
    """So what the client's cache holds loads offline."""
    sha = "0123456789abcdef0123456789abcdef01234567"
    found = locate(f"org/faq@{sha}", types=("dataset",))
    assert found == Repository("dataset", "org/faq", sha, sha)


def test_a_repository_is_resolved_once(hub: HubServer) -> None:
    first = hub.publish("org/faq", {"README.md": b"one", "a.txt": b"x"}, tag="v1.0.0")
    second = hub.publish("org/faq", {"README.md": b"two"})
    model = hub.publish("org/student", {"README.md": b"m"}, kind="model")
    old, new, other, none = located(
        hub, ("org/faq@v1.0.0", ANY), ("org/faq", ANY), ("org/student", ANY), ("org/none", ANY),
    )  # fmt: skip
    assert (old["sha"], new["sha"]) == (first, second)
    assert old["files"] == [".gitattributes", "README.md", "a.txt"]
    assert old["here"] == ["README.md"] and old["tags"] == {"v1.0.0": first}
    assert old["text"] == f"datasets/org/faq@{first[:12]}"
    assert (other["type"], other["sha"]) == ("model", model)
    assert "there is no dataset, model or Space org/none on the Hub" in none["error"]


# The token

COMMANDS = """
import json, sys
from click.testing import CliRunner
from webfaq_domains.cli import main

def run(words):
    done = CliRunner().invoke(main, words)
    return [done.exit_code, done.output]

print(json.dumps([run(words) for words in json.loads(sys.argv[1])]))
"""


@pytest.mark.parametrize("status", [403, 500])
def test_no_command_repeats_the_token_that_a_server_repeats(
    hub: HubServer, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    from hubserver import routes
    from hubserver.wire import Refusal

    def repeat(*_: object) -> None:
        raise Refusal(status, f"who are you, {hub.clients.token}?")

    hub.publish("org/faq", {"README.md": b"x", "pairs.jsonl": b"{}"}, tag="v1.0.0")
    monkeypatch.setattr(routes, "find", lambda method, path: (repeat, {}))
    out = str(tmp_path / "out")
    lines = [
        ["versions", "org/faq"],
        ["diff", "org/faq@v1.0.0", str(small)],
        ["build", "webfaq", "--source", "hub:org/faq@v1.0.0", "--out", out],
        ["publish", str(small), "--repo", "org/faq", "--version", "1.0.0"],
    ]
    commands = lines if status == 403 else lines[:1]
    for exit_code, said in hub.clients.json(COMMANDS, json.dumps(commands)):
        assert exit_code == 1 and "who are you, ***?" in said, said
        assert hub.clients.token not in said


def test_the_token_is_hidden_in_all_that_an_error_came_from() -> None:
    def fail() -> None:
        try:
            raise OSError("the header was: Bearer hf_secret")
        except OSError as error:
            raise StagedError("hf_secret is in it") from error

    with pytest.raises(StagedError) as met:
        fail()
    hide_token(met.value, "hf_secret")
    assert str(met.value) == "*** is in it"
    assert str(met.value.__cause__) == "the header was: Bearer ***"
    assert "hf_secret" not in str(explain(ValueError("hf_secret"), "the dataset", "hf_secret"))


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, two = ValueError("hf_secret"), KeyError("hf_secret")
    one.__cause__, two.__cause__ = two, one
    hide_token(one, "hf_secret")
    assert one.args == two.args == ("***",)
