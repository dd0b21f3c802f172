"""`HubSource` against the Hub-compatible test server, in a process of its own as users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hubserver import Fault, HubServer
from hubserver.requestlog import RequestLog
from hubserver.webfaq import (
    GENERIC,
    QUESTION_TYPES,
    QUESTION_WORDS,
    TOPIC,
    V1,
    V1_FILES,
    V2,
    publish,
)

READ = """
import json, os, sys, tempfile
from pathlib import Path

from webfaq_domains.sources import open_source

def on_disk():
    found = Path(tempfile.gettempdir()).rglob("*")
    return sorted(path.name for path in found if path.is_file() and ".cache" not in path.parts)

def met(case):
    try:
        source = open_source(case["address"], frozenset(case.get("wanted", ())))
        if "then" in case:
            from huggingface_hub import HfApi
            HfApi().upload_file(**case["then"], path_or_fileobj=case["content"].encode())
        rows, rejected, disk = {}, [], []
        for file in source.files:
            for batch in source.read(file):
                disk.append(on_disk())
                rows.setdefault(file.name, []).extend(batch.pairs.to_pylist())
                rejected += [[bad.place, bad.reason] for bad in batch.rejected]
        disk.append(on_disk())
        files = [[file.name, file.bytes, file.sha256] for file in source.files]
        return {"name": source.name, "sha": source.sha, "files": files, "rows": rows,
                "rejected": rejected, "disk": disk}
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}

cases = json.loads(Path(sys.argv[1]).read_text())
print(json.dumps({name: met(case) for name, case in cases.items()}))
"""


CASES: dict[str, dict[str, Any]] = {
    "v1": {"address": f"hub:{V1}@v1.0.0"},
    "v1 deu": {"address": f"hub:{V1}@v1.0.0", "wanted": ["deu"]},
    "v1 none": {"address": f"hub:{V1}@v1.0.0", "wanted": ["jpn"]},
    "v2": {"address": f"hub:{V2}@main"},
    "generic": {"address": f"hub:{GENERIC}@v1.0.0"},
    "moving": {
        "address": "hub:org/moving@main",
        "content": '{"question": "After?", "answer": "No."}\n',
        "then": {
            "path_in_repo": "eng.jsonl",
            "repo_id": "org/moving",
            "repo_type": "dataset",
        },
    },
    "large-gz": {"address": "hub:org/large-gz@main"},
    "long-line": {"address": "hub:org/long-line@main"},
    "nothing-in-it": {"address": "hub:org/nothing-in-it@main"},
    "no revision": {"address": f"hub:{V1}"},
    "unknown revision": {"address": f"hub:{V1}@v9"},
    "unknown repository": {"address": "hub:org/nothing@main"},
    "empty": {"address": "hub:org/empty@main"},
    "no-answer": {"address": "hub:org/no-answer@main"},
    "numbers": {"address": "hub:org/numbers@main"},
    "no-text": {"address": "hub:org/no-text@main"},
    "no-text-gz": {"address": "hub:org/no-text-gz@main"},
    "half": {"address": "hub:org/half@main"},
    "broken": {"address": "hub:org/broken@main"},
}
OTHERS = {name: {"address": f"hub:org/{name}@main"} for name in ("gated", "private")}


@pytest.fixture(scope="module")
def hub(make_hub: Callable[[], HubServer]) -> HubServer:
    """A server that sends readers of LFS files to another host, as the Hub does."""
    server = make_hub()
    server.settings.redirect_lfs = True
    return server


@pytest.fixture(scope="module")
def shas(hub: HubServer) -> dict[str, str]:
    return publish(hub)


@pytest.fixture(scope="module")
def run(
    hub: HubServer, shas: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., dict[str, Any]]:
    """Open and read some cases in one process and return what was met of each."""

    def run(cases: dict[str, dict[str, Any]], **env: str) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("run")
        (folder / "temporary").mkdir()
        (folder / "cases.json").write_text(json.dumps(cases))
        where = {"TMPDIR": str(folder / "temporary")}
        return hub.clients.json(READ, str(folder / "cases.json"), **where, **env)

    return run


@pytest.fixture(scope="module")
def met_and_log(
    run: Callable[..., dict[str, Any]], hub: HubServer
) -> tuple[dict[str, Any], RequestLog]:
    hub.log.clear()
    return run(CASES), hub.log.take()


@pytest.fixture(scope="module")
def met(met_and_log: tuple[dict[str, Any], RequestLog]) -> dict[str, Any]:
    """What opening and reading each case gave."""
    return met_and_log[0]


@pytest.fixture(scope="module")
def log(met_and_log: tuple[dict[str, Any], RequestLog]) -> RequestLog:
    """What was asked of the server for that."""
    return met_and_log[1]


def rows_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    assert "rows" in case, case
    return [row for rows in case["rows"].values() for row in rows]


def test_v1_is_read_with_the_language_of_its_folders(met: dict[str, Any], shas: dict[str, str]):
    case = met["v1"]
    rows = rows_of(case)
    assert (case["name"], case["sha"]) == (V1, shas[V1])
    assert [name for name, _, _ in case["files"]] == sorted(V1_FILES)
    assert [row["language"] for row in rows] == ["ara", *["deu"] * 10, "gle"]
    assert [row["question_type"] for row in rows] == ["Where", *QUESTION_WORDS, None]
    assert [row["topic"] for row in rows] == [TOPIC] * 11 + [None]
    assert rows[-1] == {
        "language": "gle",
        "question": "Cá bhfuil an óstán?",
        "answer": "…",
        "origin": "www.gle.example",
        "url": "https://www.gle.example/faq",
        "source_id": "gleCá bhfuil an óstán?",
        "topic": None,
        "question_type": None,
        "semantic_similarity_score": 0.75,
        "claimed_by": None,
    }
    assert case["rejected"] == []


def test_v2_is_read_with_the_language_of_its_files(met: dict[str, Any]):
    rows = rows_of(met["v2"])
    assert [row["language"] for row in rows] == [*["eng"] * 8, "fra", "mlt"]
    assert [row["question_type"] for row in rows] == [*QUESTION_TYPES, "FACTOID", None]
    assert {row["origin"] for row in rows} == {
        f"www.{code}.example" for code in ("eng", "fra", "mlt")
    }


def test_other_columns_and_bad_rows_are_dealt_with(met: dict[str, Any]):
    (row,) = rows_of(met["generic"])
    assert (row["language"], row["question"], row["source_id"]) == ("deu", "Wie groß?", "7")
    assert (row["origin"], row["topic"]) == (None, None)
    assert met["generic"]["rejected"] == [["deu.jsonl.gz:2", "answer_missing"]]


def test_a_file_without_a_row_adds_none(met: dict[str, Any]):
    case = met["nothing-in-it"]
    assert [row["source_id"] for row in rows_of(case)] == ["1"] and case["rejected"] == []


@pytest.mark.parametrize(("case", "rows"), [("large-gz", 2), ("long-line", 2)])
def test_a_file_larger_than_the_look_at_its_head_is_read(met: dict[str, Any], case: str, rows: int):
    assert len(rows_of(met[case])) == rows


def test_every_file_is_pinned_by_size_and_hash(hub: HubServer, met: dict[str, Any]):
    for repo, case in ((V1, "v1"), (V2, "v2"), (GENERIC, "generic"), ("org/moving", "moving")):
        commit = hub.repo(repo).find(met[case]["sha"])
        assert commit is not None
        for name, size, pin in met[case]["files"]:
            blob = commit.files[name]
            assert (size, pin) == (
                blob.size,
                blob.sha256 if blob.lfs else f"git-sha1:{blob.sha1}",
            )


def test_only_wanted_languages_are_asked_for(run: Callable[..., dict[str, Any]], hub: HubServer):
    hub.log.clear()
    case = run({"v1 deu": CASES["v1 deu"]})["v1 deu"]
    assert {row["language"] for row in rows_of(case)} == {"deu"}
    assert hub.log.find("resolve/.*/deu/") and not hub.log.find("resolve/.*/(ara|gle)/")


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("no revision", "SourceError", ["expected hub:<org>/<name>@<revision>"]),
        ("unknown revision", "SourceError", [V1, "no revision 'v9'"]),
        ("unknown repository", "SourceError", ["no dataset org/nothing"]),
        ("empty", "SourceError", ["org/empty@main", ".parquet", ".jsonl.gz"]),
        ("v1 none", "SourceError", [V1, "jpn"]),
        (
            "no-answer",
            "SchemaError",
            ["eng.parquet", "missing: answer", "met: id, question, reply"],
        ),
        ("numbers", "SchemaError", ["eng.parquet", "'question' is int64"]),
        ("no-text", "SchemaError", ["eng.jsonl", "missing: question, answer", "id, text"]),
        ("no-text-gz", "SchemaError", ["eng.jsonl.gz", "missing: question, answer", "met: text"]),
        ("half", "SchemaError", ["deu.parquet", "missing: answer"]),
        ("broken", "SourceError", ["eng.parquet"]),
    ],
)
def test_a_refusal_is_one_line_that_says_what_and_where(
    met: dict[str, Any], case: str, error: str, words: list[str]
):
    got = met[case]
    assert got.get("error") == error, got
    assert [word for word in words if word not in got["message"]] == []
    assert "\n" not in got["message"]


@pytest.mark.parametrize(
    "repo", ["no-answer", "numbers", "no-text", "no-text-gz", "half", "broken"]
)
def test_columns_are_checked_before_a_file_is_downloaded(
    hub: HubServer, log: RequestLog, shas: dict[str, str], repo: str
):
    commit = hub.repo(f"org/{repo}").find(shas[f"org/{repo}"])
    assert commit is not None
    for name, blob in commit.files.items():
        if name.endswith((".parquet", ".jsonl", ".gz")) and blob.size > 100_000:
            asked = rf"^GET (.*/{repo}/resolve/.*/{name}|/storage/{blob.sha256}.*%2F{repo}&)"
            sent = [entry.sent for entry in log.find(asked)]
            assert sent and sum(sent) < blob.size


def test_a_look_at_a_text_file_takes_no_more_than_a_mebibyte(log: RequestLog):
    for repo in ("no-text", "no-text-gz"):
        sent = [entry.sent for entry in log.find(f"^GET .*(/{repo}/resolve|%2F{repo}&)")]
        assert 0 < sum(sent) <= 1 << 20


def test_after_the_first_request_only_the_sha_is_asked_for(
    met: dict[str, Any], log: RequestLog, shas: dict[str, str]
):
    for repo in (V1, V2, GENERIC):
        asked = [entry.path for entry in log.find(f"/{repo}/")]
        named = [path for path in asked if shas[repo] not in path]
        assert named and {path.split("/")[-2] for path in named} == {"revision"}
    assert [row["question"] for row in rows_of(met["moving"])] == ["Before?"]
    assert met["moving"]["sha"] == shas["org/moving"]


def test_one_file_at_a_time_is_on_disk_and_none_at_the_end(met: dict[str, Any]):
    names = [Path(name).name for name, _, _ in met["v2"]["files"]]
    assert met["v2"]["disk"] == [[name] for name in names] + [[]]


@pytest.mark.parametrize("token", ["stranger", "none"])
def test_gated_and_private_repositories_are_explained(
    run: Callable[..., dict[str, Any]], hub: HubServer, token: str
):
    hub.log.clear()
    got = run(OTHERS, HF_TOKEN=hub.stranger.value if token == "stranger" else "")
    for repo, words in (("gated", "accept its terms"), ("private", "it is private")):
        assert got[repo].get("error") == "SourceError", got[repo]
        assert f"org/{repo}" in got[repo]["message"] and words in got[repo]["message"]
    assert sum(entry.sent for entry in hub.log.find("^GET .*(resolve|storage)")) < 1000


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set; unset it, then try again"),
        ({"HF_TOKEN": "hf_of_nobody"}, "does not know the token"),
    ],
)
def test_a_hub_that_cannot_be_used_is_explained(
    run: Callable[..., dict[str, Any]], env: dict[str, str], words: str
):
    got = run({"v1": CASES["v1"]}, **env)["v1"]
    assert got.get("error") == "SourceError", got
    assert V1 in got["message"] and words in got["message"]


@pytest.mark.parametrize("repo", [GENERIC, "org/moving"])
def test_a_damaged_download_is_an_error_and_not_other_rows(
    run: Callable[..., dict[str, Any]], hub: HubServer, repo: str
):
    """The look at the columns is fine; then the file comes with other bytes of the same number."""
    look = 2 if repo == GENERIC else 1  # an LFS file is redirected to the storage
    hub.faults.add(Fault("corrupt", when="^GET .*(resolve|storage)", nth=look + 1, times=9))
    got = run({"case": {"address": f"hub:{repo}@v1.0.0"}})["case"]
    hub.faults.clear()
    assert got.get("error") == "SourceError", got


@pytest.mark.parametrize(
    ("kind", "when"),
    [
        ("reset", "revision/v1"),
        ("truncated", "revision/v1"),
        ("503", "revision/v1"),
        ("429", "revision/v1"),
    ],
)
def test_a_failing_hub_is_explained(
    run: Callable[..., dict[str, Any]], hub: HubServer, kind: str, when: str
):
    hub.faults.add(Fault(kind, when=when, times=9))
    got = run({"v1": CASES["v1"]})["v1"]
    hub.faults.clear()
    assert got.get("error") == "SourceError", got
    assert f"{V1}@v1.0.0" in got["message"] and "\n" not in got["message"]


def test_the_token_stays_with_the_endpoint(hub: HubServer, met: dict[str, Any], log: RequestLog):
    assert log.find("^GET /storage")
    assert log.leaks(hub.host, hub.writer.value) == []
    assert hub.writer.value not in json.dumps(met)
