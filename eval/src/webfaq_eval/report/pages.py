"""The report's sections as one Markdown, one LaTeX and one HTML file that opens offline."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from webfaq_eval.report.tables import (
    Table,
    latex_text,
    markdown_text,
    to_html,
    to_latex,
    to_markdown,
)


def to_markdown_document(title: str, sections: Sequence[Section]) -> str:
    """Return the report in Markdown; figures are named by their place beside the file."""
    parts = [f"# {markdown_text(title)}\n"]
    for section in sections:
        parts.append(f"## {markdown_text(section.title)}\n\n{markdown_text(section.text)}\n")
        parts += [to_markdown(table) for table in section.tables]
        parts += [
            f"![{markdown_text(one.caption)}](figures/{one.path.name})\n" for one in section.figures
        ]
    return "\n".join(parts)


def to_latex_document(title: str, sections: Sequence[Section]) -> str:
    """Return the report in LaTeX: a whole document, whose tables can be copied into a paper."""
    parts = [
        r"\documentclass{article}",
        r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
        r"\usepackage[T1]{fontenc}",
        r"\usepackage{booktabs,longtable,graphicx}",
        rf"\title{{{latex_text(title)}}}\date{{}}",
        r"\begin{document}\maketitle\scriptsize\setlength{\tabcolsep}{3pt}",
    ]
    for section in sections:
        parts += [rf"\section{{{latex_text(section.title)}}}", latex_text(section.text), ""]
        parts += [to_latex(table) for table in section.tables]
        for one in section.figures:
            name = f"figures/{one.path.with_suffix('.pdf').name}"
            parts += [
                r"\begin{figure}[htbp]\centering",
                rf"\includegraphics[width=0.7\linewidth]{{{name}}}",
                rf"\caption{{{latex_text(one.caption)}}}",
                r"\end{figure}",
            ]
        parts.append(r"\clearpage")
    return "\n".join([*parts, r"\end{document}", ""])


_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
.wide { overflow-x: auto; margin: 1.2rem 0; }
table { border-collapse: collapse; font-size: 0.82rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: 0.4rem 0; max-width: 70rem; }
th, td { padding: 0.2rem 0.6rem; white-space: nowrap; }
thead th { text-align: left; } thead th.figure { text-align: right; }
thead th { border-top: 2px solid #000; border-bottom: 1px solid #000; }
tbody tr:last-child > * { border-bottom: 2px solid #000; }
tbody th { font-weight: normal; text-align: left; } td { text-align: right; }
tbody tr:nth-child(even) { background: #f3f3f3; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; }
figcaption { font-size: 0.82rem; max-width: 70rem; }
nav { columns: 2; font-size: 0.85rem; }
@media print { tbody tr:nth-child(even) { background: none; } }
""".strip()


@dataclass(frozen=True)
class Figure:
    """A drawn figure: its PNG, with the PDF beside it, and what it shows."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Section:
    """A part of the report: a heading, a text, tables and figures."""

    title: str
    text: str
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()


def to_page(title: str, sections: Sequence[Section]) -> str:
    """Return the whole page. All text is escaped; the policy lets a browser load nothing else."""
    links = [
        f'<li><a href="#part-{number}">{html.escape(section.title)}</a></li>'
        for number, section in enumerate(sections)
    ]
    parts = [_section(number, section) for number, section in enumerate(sections)]
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{html.escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{html.escape(title)}</h1>",
            "<nav><ul>",
            *links,
            "</ul></nav>",
            *parts,
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(number: int, section: Section) -> str:
    figures = [
        f'<figure><img src="data:image/png;base64,{_inline(one.path)}" alt="{html.escape(one.caption)}">'
        f"<figcaption>{html.escape(one.caption)}</figcaption></figure>"
        for one in section.figures
    ]
    return "\n".join(
        [
            f'<section id="part-{number}">',
            f"<h2>{html.escape(section.title)}</h2>",
            f"<p>{html.escape(section.text)}</p>",
            *(to_html(table) for table in section.tables),
            *figures,
            "</section>",
        ]
    )


def _inline(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
