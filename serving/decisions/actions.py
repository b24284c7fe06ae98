"""What to do about a reason: a sentence for each table that a signal comes from."""

from __future__ import annotations

ACTIONS = {
    "tickets": "Name a person and a date for what is open in support, and tell them",
    "feedback": "Answer what they said, and say what will change",
    "usage": "Offer a session to those who use it least, on what they do not use yet",
    "outreach": "Meet them: a review with somebody who decides",
    "contacts": "Find a second person there who wants this to work",
    "invoices": "Ask what holds up the payment",
    "contracts": "Open the talk about the renewal, with what it brought them",
    "deals": "Ask what became of what they meant to buy",
    "advocacy": "Thank them for what they did for us",
}
OTHERWISE = "Ask how it goes, and what would make it better"


def action(tables: list[frozenset[str]]) -> str:
    """What to do, given the tables behind each reason, the strongest first."""
    for behind in tables:
        for table, text in ACTIONS.items():
            if table in behind:
                return text
    return OTHERWISE
