"""Every feature there is. A new one is one entry in one of these files."""

from __future__ import annotations

from features.definitions import (
    account,
    advocacy,
    billing,
    contracts,
    deals,
    feedback,
    hierarchy,
    outreach,
    stakeholders,
    support,
    usage,
)
from features.feature import Declaration

FEATURES: tuple[Declaration, ...] = (
    *account.FEATURES,
    *usage.FEATURES,
    *support.FEATURES,
    *feedback.FEATURES,
    *stakeholders.FEATURES,
    *contracts.FEATURES,
    *billing.FEATURES,
    *advocacy.FEATURES,
    *outreach.FEATURES,
    *deals.FEATURES,
    *hierarchy.FEATURES,
)
