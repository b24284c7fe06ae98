"""What people of the field speak of, and the features that measure it; shown in the catalogue."""

from __future__ import annotations

CONCEPTS: dict[str, tuple[str, ...]] = {
    "value proven: use and feedback at or above their own usual": (
        "usage_unusual", "usage_change", "usage_seasonal", "satisfaction_gain", "satisfaction_drift", "value_mean",
    ),
    "renewed or bought again": ("terms_ended", "contracts_signed", "arr_growth", "arr_expansion", "arr_contraction", "days_to_renewal"),
    "depth and breadth of use, adoption, seats used": (
        "usage_per_seat", "usage_breadth", "usage_breadth_kept", "seats_used", "usage_stickiness", "onboarding_days",
    ),
    "eligible for an ask: tenure, consent, no open escalation, asks so far": (
        "tenure_days", "contacts_consented", "tickets_escalated_open", "asks_recency", "asks_open", "asks_declined",
    ),
    "advocacy done, by kind, and what it touched": (
        "acts_ever", "reference_acts", "referral_acts", "review_acts", "case_study_acts", "speaking_acts",
        "community_acts", "social_acts", "acceptance_ever", "revenue_touched_ever",
    ),
    "the stakeholder map: coverage, single-threading": (
        "roles_covered", "decider_share", "usage_top_share", "touches_top_share", "contacts_active_share", "contact_turnover",
    ),
    "influence need not follow seniority: each role by itself": (
        "satisfaction_deciders", "satisfaction_influencers", "satisfaction_users", "satisfaction_by_role",
        "deciders_over_users", "deciders_active", "power_user_share",
    ),
    "the whole account feels it": (
        "satisfaction_spread", "satisfaction_lowest_contact", "satisfaction_lowest_role", "sentiment_spread",
    ),
    "the champion contact: there, content, in touch, gone, followed": (
        "champion_contacts_present", "satisfaction_champions", "sentiment_champions", "champions_touched_recency",
        "champion_contact_left", "champion_contact_succession",
    ),
    "mutual advocacy: what we gave for what we asked": ("given_per_asked", "proactive_share", "proactive_per_reactive"),
    "moments of truth beat the annual survey": (
        "moments_mean", "moments_recency", "moments_told", "satisfaction_onboarding", "satisfaction_support",
        "satisfaction_review_meeting", "satisfaction_renewal", "satisfaction_survey",
    ),
    "value (effective) and sentiment (affective) kept apart": ("value_mean", "sentiment_mean", "tickets_sentiment"),
    "silence": ("response_rate", "questions_unanswered", "silence_days", "touches_unanswered", "usage_silence"),
    "the high-value, dissatisfied influencer": ("unhappy_influencers", "unhappy_deciders", "arr", "arr_rank"),
    "closed loop: who was unhappy, and did we reach out since": ("detractor_recency", "touches_recency", "unhappy_answers"),
    "journey friction": (
        "ticket_handoffs", "ticket_contacts_needed", "first_contact_share", "tickets_per_person", "reopen_share",
        "resolution_hours", "resolution_hours_deviation", "tickets_open_age", "escalation_share",
    ),
    "cost to serve, lateness, discount": ("cost_share", "days_late", "on_time_share", "overdue_days", "discount_change"),
    "hierarchy: parent and siblings, as known by then": (
        "parent_notices", "siblings_lost", "siblings_notices", "siblings_arr_growth", "siblings_acts",
    ),
    "partner or direct": ("served_by_partner", "partner_days"),
    "decision makers in other countries": ("buying_country", "using_country", "billing_country", "decided_abroad"),
    "against peers": ("usage_rank", "usage_days_rank", "seats_used_rank", "satisfaction_rank", "arr_rank", "size_rank"),
}  # fmt: skip
