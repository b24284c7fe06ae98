"""Whom we know there: coverage, the champion contact, who came and went."""

from features.aggregations import contacts, count, level, recency
from features.feature import Feature, Ratio

FEATURES = (
    Feature("contacts_present", "contact.present", level, "stakeholders", "contacts present", "{value} contacts present", "contacts"),
    Feature("decision_makers_present", "contact.decision_maker", level, "stakeholders", "decision makers present", "{value} decision makers present", "contacts"),
    Feature("champion_contacts_present", "contact.champion_contact", level, "stakeholders", "champion contacts present", "{value} champion contacts present", "contacts"),
    Feature("champion_contact_left", "contact.champion_contact_left", count, "stakeholders", "champion contacts who left", "{value} champion contacts left in the last {window}", "contacts", (90, 180, 365)),
    Feature("champion_contact_left_recency", "contact.champion_contact_left", recency, "stakeholders", "days since a champion contact left", "a champion contact left {value} days ago", "days"),
    Feature("contacts_joined", "contact.joined", count, "stakeholders", "contacts who joined", "{value} contacts joined in the last {window}", "contacts", (90, 365)),
    Feature("contacts_left", "contact.left", count, "stakeholders", "contacts who left", "{value} contacts left in the last {window}", "contacts", (90, 365)),
    Feature("contacts_consented", "contact.consented", level, "stakeholders", "contacts who agreed to some advocacy", "{value} contacts agreed to advocacy", "contacts"),
    Feature("deciders_active", "usage", contacts, "stakeholders", "decision makers who used it", "{value} decision makers used it in the last {window}", "contacts", (90,), role="decision maker"),
    Feature("champions_active", "usage", contacts, "stakeholders", "champions who used it", "{value} champions used it in the last {window}", "contacts", (30, 90), role="champion"),
    Feature("power_usage", "usage", count, "stakeholders", "things done by power users", "{value} things done by power users in the last {window}", "events", (30, 90), role="power user"),
    Feature("all_usage", "usage", count, "stakeholders", "things done by anybody", "{value} things done in the last {window}", "events", (30, 90)),
    Ratio("power_user_share", "power_usage", "all_usage", "stakeholders", "power users' share of usage", "power users did {value} of all in the last {window}", "share"),
    Ratio("decider_share", "decision_makers_present", "contacts_present", "stakeholders", "decision makers' share of contacts", "{value} of contacts are decision makers", "share"),
)  # fmt: skip
