"""Cards of labelers: prose from a template, every number from `labeler.json` and the evaluations."""

from __future__ import annotations

from importlib.resources import files
from string import Template
from typing import Any

from webfaq_domains.errors import LabelerError
from webfaq_domains.labeler.evaluation import Evaluation, markdown
from webfaq_domains.languages import languages
from webfaq_domains.taxonomy import Taxonomy


def render_card(
    template: str, about: dict[str, Any], taxonomy: Taxonomy, found: dict[str, Evaluation]
) -> str:
    """Return the README.md of a labeler's folder.

    :raises LabelerError: if the template asks for something that is not known.
    """
    text = files("webfaq_domains.cards").joinpath(template).read_text("utf-8")
    try:
        return Template(text).substitute(_values(about, taxonomy, found))
    except (KeyError, ValueError) as error:
        raise LabelerError(f"the card template {template} asks for {error}") from error


def _values(
    about: dict[str, Any], taxonomy: Taxonomy, found: dict[str, Evaluation]
) -> dict[str, str]:
    training = about["training"]
    codes = training["languages"]
    known = languages()
    return {
        "name": about["name"],
        "revision": about["model_sha256"],
        "model": about.get("model", ""),
        "language_yaml": "\n".join(f"- {code}" for code in codes),
        "language_count": str(len(codes)),
        "language_names": ", ".join(known[c].name if c in known else c for c in codes),
        "taxonomy_version": about["taxonomy_version"],
        "taxonomy_sha256": about["taxonomy_sha256"],
        "definitions": markdown(
            ("domain", "what belongs here"), [(d.slug, d.definition) for d in taxonomy.domains]
        ),
        "thresholds": _thresholds(about),
        "precision": f"{about['decision']['precision']:.0%}",
        "characters": str(about.get("characters") or about["reading"]["characters"]),
        "prefix": about.get("reading", {}).get("prefix", ""),
        "tokens": str(about.get("reading", {}).get("tokens", "")),
        "encoder": str(training.get("encoder", "none: no encoder was used")),
        "sources": _sources(training),
        "calibration_rows": str(about["calibration"]["rows"]),
        "calibration": _calibration(about),
        "cascade": _cascade(about),
        "onnx": _onnx(about),
        "results": "\n\n".join(_result(name, evaluation) for name, evaluation in found.items()),
        "recipe": markdown(
            ("parameter", "value"), [(k, str(v)) for k, v in about["recipe"].items()]
        ),
    }


def _thresholds(about: dict[str, Any]) -> str:
    return markdown(
        ("domain", "assigned from"), [(k, f"{v:.2f}") for k, v in about["thresholds"].items()]
    )


def _sources(training: dict[str, Any]) -> str:
    rows = [
        (source["name"], source["licence"], f"`{source.get('sha256', source.get('pin', ''))}`")
        for source in training["sources"]
    ]
    table = markdown(("source", "licence", "sha256 or revision"), rows)
    lines = [
        f"- {training['annotations']:,} annotations written for this project "
        f"({training['calibration_annotations']:,} more calibrate, {training['test_annotations']:,} test)",
        f"- {training['lexicon_terms']:,} lexicon terms written for this project",
        f"- {training['silver_words']:,} words of an encoder's vocabulary, sorted into domains by: "
        f"{training.get('words_encoder') or 'no encoder'}",
    ]
    if "pairs" in training:
        sites = ", ".join(
            f"{name or 'sites without a name'} ({n:,})"
            for name, n in training["pairs_by_site"].items()
        )
        lines.append(
            f"- {training['pairs']:,} FAQ pairs labelled by the teacher, of {sites or 'no site'}"
        )
    if training.get("translated_texts"):
        lines.append(
            f"- {training['translated_texts']:,} texts in {training['translated_languages']} languages "
            "of the projects below, each with the teacher's label of its English original"
        )
    return "\n".join(lines) + "\n\n" + table


def _calibration(about: dict[str, Any]) -> str:
    errors = about["calibration"].get("error")
    if not errors:
        return ""
    return (
        f"Expected calibration error on the calibration rows (cross-fitted): {errors['before']:.3f} "
        f"before, {errors['after']:.3f} after."
    )


def _cascade(about: dict[str, Any]) -> str:
    point = about.get("cascade")
    if not point:
        return "No student was built with this teacher."
    return (
        f"The student decides where its highest probability reaches {point['switch']:.2f}: "
        f"{point['share']:.1%} of the {point['rows']:,} validation rows. Macro-F1 there: "
        f"{point['cascade_f1']:.3f}, of the teacher alone {point['teacher_f1']:.3f}."
        + (f" Speed: {point['speed_up']:.1f} times the teacher's." if "speed_up" in point else "")
    )


def _onnx(about: dict[str, Any]) -> str:
    report = about.get("onnx")
    if not report:
        return "Not exported in this build."
    return (
        f"`onnx/model_quantized.onnx` (int8 weights, {report['bytes'] / 1e6:.0f} MB): "
        f"{report['speed_up']:.2f} times as fast as the full encoder on the same CPU, the same domain "
        f"for {report['same_domain']:.1%} of {report['rows']:,} texts."
    )


def _result(name: str, found: Evaluation) -> str:
    parts = [f"### On {name}", found.summary().replace("\n", "  \n"), found.domain_table()]
    if found.languages:
        parts.append(found.language_table())
    return "\n\n".join(parts)
