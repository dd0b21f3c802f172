"""A table and its figures, written as plain text, Markdown, LaTeX and HTML by one rule of rounding."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

_RIGHT = ' class="figure"'
#: Characters that mean something to LaTeX, and how they are written as text.
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "–": "--", "×": r"$\times$", "±": r"$\pm$", "→": r"$\rightarrow$", "≤": r"$\leq$",
    "−": r"$-$", "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Text in rows and columns. The first `labels` columns name the row, the rest are figures.

    `caption` says what is measured, under which protocol, on which revisions.
    """

    title: str
    caption: str
    columns: list[str]
    rows: list[list[str]]
    labels: int = 1


def slug(text: str) -> str:
    """Return a name for files and labels: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def to_text(table: Table) -> str:
    """Return aligned columns for a terminal."""
    lines = [table.columns, *table.rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(table.columns))]
    shown = []
    for line in lines:
        cells = [
            cell.ljust(width) if at < table.labels else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        shown.append("  ".join(cells).rstrip())
    shown.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([table.title, table.caption, "", *shown]) + "\n"


def to_markdown(table: Table) -> str:
    """Return the table in GitHub's Markdown, with its title as a heading."""
    rule = [":--" if at < table.labels else "--:" for at in range(len(table.columns))]
    lines = [
        "| " + " | ".join(cells) + " |"
        for cells in (
            [markdown_text(name) for name in table.columns],
            rule,
            *([markdown_text(cell) for cell in row] for row in table.rows),
        )
    ]
    return (
        "\n".join(
            [f"### {markdown_text(table.title)}", "", markdown_text(table.caption), "", *lines]
        )
        + "\n"
    )


def to_latex(table: Table) -> str:
    """Return a booktabs table that may run over pages (packages booktabs and longtable)."""
    letters = "l" * table.labels + "r" * (len(table.columns) - table.labels)
    head = " & ".join(latex_text(name) for name in table.columns) + r" \\"
    rows = [" & ".join(latex_text(cell) for cell in row) + r" \\" for row in table.rows]
    return "\n".join(
        [
            r"\begin{longtable}{@{}" + letters + "@{}}",
            rf"\caption{{{latex_text(table.title + '. ' + table.caption)}}}",
            rf"\label{{tab:{slug(table.title)}}}\\",
            r"\toprule",
            head,
            r"\midrule",
            r"\endhead",
            *rows,
            r"\bottomrule",
            r"\end{longtable}",
            "",
        ]
    )


def to_html(table: Table) -> str:
    """Return the table as HTML, every text escaped."""
    head = "".join(
        f'<th scope="col"{"" if at < table.labels else _RIGHT}>{html.escape(name)}</th>'
        for at, name in enumerate(table.columns)
    )
    body = []
    for row in table.rows:
        cells = [
            f'<th scope="row">{html.escape(cell)}</th>'
            if at < table.labels
            else f"<td>{html.escape(cell)}</td>"
            for at, cell in enumerate(row)
        ]
        body.append("<tr>" + "".join(cells) + "</tr>")
    return "\n".join(
        [
            '<div class="wide"><table>',
            f"<caption><b>{html.escape(table.title)}.</b> {html.escape(table.caption)}</caption>",
            f"<thead><tr>{head}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody></table></div>",
        ]
    )


def markdown_text(text: str) -> str:
    """Escape what Markdown would take for markup or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return re.sub(r"([\\`*_|\[\]])", r"\\\1", text)


def latex_text(text: str) -> str:
    """Escape what LaTeX would take for a command."""
    return "".join(_LATEX.get(letter, letter) for letter in text.replace("\n", " "))


ABSENT = "–"


def points(share: float) -> str:
    """Write a share of 1 as points of 100: 0.9312 -> `93.1`."""
    return f"{100 * share:.1f}"


def signed(share: float) -> str:
    """Write a difference in points with its sign: `+1.2`, `−0.4`."""
    text = f"{100 * share:+.1f}"
    return ("+0.0" if text == "-0.0" else text).replace("-", "−")


def interval(low: float, high: float) -> str:
    """Write an interval of shares in points: `[91.0, 95.2]`."""
    return f"[{points(low)}, {points(high)}]"


def signed_interval(low: float, high: float) -> str:
    """Write an interval of differences: `[−0.4, +1.2]`."""
    return f"[{signed(low)}, {signed(high)}]"


def cell(share: float, ends: tuple[float, float], items: int) -> str:
    """Write a figure that can be judged: `93.1 [91.0, 95.2] n=390`."""
    return f"{points(share)} {interval(*ends)} n={items}"


def probability(p: float) -> str:
    """Write a p value; below 0.001 it is said to be so."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
