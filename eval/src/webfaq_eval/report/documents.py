"""The report's sections as one Markdown and one LaTeX file."""

from __future__ import annotations

from collections.abc import Sequence

from webfaq_eval.report.page import Section
from webfaq_eval.report.tables import latex_text, markdown_text, to_latex, to_markdown


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
