"""The report: what its tables say, and that its page is whole, escaped and alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from tinyresults import write_results
from webfaq_eval.errors import ResultError
from webfaq_eval.report.bias import bias_table
from webfaq_eval.report.pages import Figure, Section, to_page
from webfaq_eval.report.scores import gather_grids, recall_table, score_table
from webfaq_eval.report.tables import (
    Table,
    probability,
    signed,
    to_html,
    to_latex,
    to_markdown,
    to_text,
)
from webfaq_eval.results import Extra, read_results, write_result

SUBSETS = ("lareqa_deu", "lareqa_swa", "lareqa_deu_health", "lareqa_swa_health")
PNG = b"\x89PNG\r\n\x1a\n"
NASTY = Table(
    "a_b & <script>", "100 % of $x$ | `y`", ["name", "value"], [["<b>_x_|", "1"], ["\\#{}~^", "2"]]
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, bench_folder: Path) -> Path:
    """Two models on LAReQA, one cell missing; the bias as the protocol writes it."""
    root = tmp_path_factory.mktemp("report") / "results"
    for name, skill in (("org/weak", 0.5), ("org/strong_<b>", 3.0)):
        write_results(root, bench_folder, name, skill, SUBSETS)
    for number, (path, result) in enumerate(list(read_results(root))):
        if result.subset.domain is None:
            settings = {"x_x_mono": 0.9, "x_y": 0.5, "x_x": 0.7, "by_language": {}}
            extra = Extra(settings=settings, same_language_bias=0.1 + number / 100)
            write_result(
                root, replace(result, extra=extra), pq.read_table(path.with_suffix(".parquet"))
            )
        elif (result.subset.name, result.model.name) == ("lareqa_swa_health", "org/weak"):
            path.unlink()
    return root


class Page(HTMLParser):
    """Collects what a browser would load, run and show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [
            value for name, value in attrs if name in ("src", "href", "data", "srcset")
        ]

    def handle_data(self, data):
        self.text += data


def read_page(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def group_of(root: Path, model: str, task: str = "lareqa"):
    grids = gather_grids(result for _, result in read_results(root))
    return next(grid for grid in grids if (grid.first.model.name, grid.task) == (model, task))


def test_a_cell_has_value_interval_and_items(results):
    table = score_table(group_of(results, "org/strong_<b>"))
    assert table.columns == ["language", "all", "health"]
    assert [row[0] for row in table.rows] == ["deu", "swa", "mean"]
    assert re.fullmatch(r"\d+\.\d \[\d+\.\d, \d+\.\d\] n=24", table.rows[0][1])


def test_a_missing_cell_is_shown_counted_and_in_no_mean(results):
    grid = group_of(results, "org/weak")
    table = score_table(grid)
    assert table.rows[1][2] == "–"
    assert "1 of 4 cells have no result" in table.caption
    value = grid.cells["deu", "health"].main.value
    assert table.rows[2][2] == f"{100 * value:.1f} (mean of 1 of 2)"
    shares = {row[0]: row[2] for row in recall_table(grid).rows}
    assert shares == {"all": "2 of 2", "health": "1 of 2"}


def test_captions_carry_protocol_and_revisions(results):
    grid = group_of(results, "org/weak")
    for table in (score_table(grid), recall_table(grid), bias_table(grid)):
        assert grid.first.model.revision in table.caption
        assert grid.first.benchmark.revision in table.caption
        assert grid.first.protocol.hash[:12] in table.caption
        assert "mean pooling, last layer, normalised, cosine" in table.caption


def test_protocols_and_pools_are_not_mixed(bench_folder, tmp_path):
    folder = write_results(tmp_path, bench_folder, "org/toy", 1.5, ("tatoeba_deu*",))
    names = [grid.task for grid in gather_grids(r for _, r in read_results(folder))]
    assert names == [
        "tatoeba",
        "tatoeba domain pool",
        "tatoeba reverse",
        "tatoeba reverse domain pool",
    ]


def test_texts_are_escaped_in_every_format():
    assert "<script>" not in to_html(NASTY) and "&lt;script&gt;" in to_html(NASTY)
    markdown = to_markdown(NASTY)
    assert "<b>" not in markdown and r"&lt;b>\_x\_\|" in markdown
    latex = to_latex(NASTY)
    assert r"a\_b \& \textless{}script\textgreater{}" in latex
    assert r"\textbackslash{}\#\{\}\textasciitilde{}\textasciicircum{}" in latex
    assert latex.count(r"\toprule") == latex.count(r"\bottomrule") == 1
    lines = to_text(NASTY).splitlines()[3:]
    assert len({len(line) for line in lines}) == 1


def test_figures_of_numbers():
    assert (signed(0.012), signed(-0.004), signed(-0.0001)) == ("+1.2", "−0.4", "+0.0")
    assert (probability(0.0004), probability(0.0314)) == ("<0.001", "0.031")


def test_a_page_has_no_script_and_nothing_from_elsewhere(tmp_path):
    image = tmp_path / "x.png"
    image.write_bytes(PNG)
    caption = 'a "quoted" <i>caption</i>'
    page = read_page(
        to_page("T & <t>", [Section("S <s>", "text <script>", [NASTY], [Figure(image, caption)])])
    )
    assert "script" not in page.tags and "i" not in page.tags and "link" not in page.tags
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in page.sources)
    assert "T & <t>" in page.text and 'a "quoted" <i>caption</i>' in page.text


@pytest.fixture(scope="module")
def report(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("matplotlib", reason="needs matplotlib: pip install 'webfaq-eval[plot]'")
    from webfaq_eval.cli.results import report as command

    out = tmp_path_factory.mktemp("out") / "report"
    baseline = next(results.glob("org__weak@*"))
    shown = CliRunner().invoke(
        command, [str(results), "--out", str(out), "--baseline", str(baseline), "--quiet"]
    )
    assert shown.exit_code == 0, shown.output
    return out


def test_the_report_is_whole(report, results):
    names = {path.name for path in report.iterdir()}
    assert names == {"report.md", "report.tex", "report.html", "figures", "differences.json"}
    figures = sorted((report / "figures").glob("*.png"))
    assert all(path.read_bytes().startswith(PNG) for path in figures)
    assert all(path.with_suffix(".pdf").exists() for path in figures)
    kinds = {path.name.split("-")[0] for path in figures}
    assert kinds == {"heat", "forest", "recall", "bias"}
    page = read_page((report / "report.html").read_text(encoding="utf-8"))
    assert page.tags.count("img") == len(figures)
    assert "org/strong_<b>" in page.text
    markdown = (report / "report.md").read_text()
    assert all(f"](figures/{path.name})" in markdown for path in figures)
    compared = json.loads((report / "differences.json").read_text())
    assert len(compared["cells"]) == 3
    assert "lareqa_swa_health: only org/strong" in compared["left_out"][0]


@pytest.mark.needs("plot")
def test_no_text_of_a_figure_is_cut_off(results, tmp_path):
    from webfaq_eval.report.figures import bias_plot, heat_map, save_figure

    models = [("an organisation/a model with quite a long name", {"deu": 0.1, "swa": -0.2})]
    for figure in (heat_map(group_of(results, "org/weak")), bias_plot(models, "bias")):
        save_figure(figure, tmp_path / "figure.png")
        shown, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert shown.x0 >= 0 and shown.y0 >= 0 and shown.x1 <= width and shown.y1 <= height


@pytest.mark.needs("plot")
def test_the_baseline_needs_another_model(results, tmp_path, bench_folder):
    from webfaq_eval.report.build import write_report

    alone = write_results(tmp_path / "results", bench_folder, "org/one", 1.0, ("webfaq_deu",))
    with pytest.raises(ResultError, match="no model but org__one"):
        write_report(tmp_path / "results", tmp_path / "out", baseline=alone, quiet=True)
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.needs("plot")
def test_an_unreadable_result_stops_the_report(tmp_path, bench_folder):
    from webfaq_eval.report.build import write_report

    folder = write_results(tmp_path / "results", bench_folder, "org/one", 1.0, ("webfaq_deu",))
    path = next(folder.rglob("*.json"))
    path.write_text(path.read_text().replace('"value"', '"valeu"'))
    with pytest.raises(ResultError, match=r"webfaq_deu\.test\.json"):
        write_report(tmp_path / "results", tmp_path / "out", quiet=True)
    assert not (tmp_path / "out").exists()
