"""What a trained labeler says of itself in `labeler.json`, besides its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.calibration import Calibrated, ThresholdRule
from webfaq_domains.labelers.folder import Calibration, Curves, Errors, Training, by_domain


@dataclass(frozen=True)
class Description:
    """Name, taxonomy, rule of the thresholds, and what the labeler was trained on."""

    name: str
    taxonomy: Taxonomy
    rule: ThresholdRule
    training: Training

    def fields(self, fitted: Calibrated) -> dict[str, Any]:
        """Return the entries of `labeler.json` that every kind of labeler has."""
        domains = self.taxonomy.claimable
        calibration = Calibration(
            slope=fitted.calibration.slope,
            intercept=fitted.calibration.intercept,
            rows=sum(fitted.before.rows) // len(domains),
            error=Errors(round(fitted.before.error, 4), round(fitted.after.error, 4)),
            reliability=Curves(fitted.before, fitted.after),
        )
        return {
            "name": self.name,
            "domains": domains,
            "fallback": self.taxonomy.fallback,
            "taxonomy_version": self.taxonomy.version,
            "taxonomy_sha256": self.taxonomy.sha256,
            "training": self.training,
            "calibration": calibration,
            "thresholds": by_domain(domains, fitted.thresholds),
            "decision": self.rule,
        }
