"""How tickets of the simulated world came in, and what was written in them: gladder in good health."""

from __future__ import annotations

import numpy as np

from features.sources.simulated_lives import Calendar, Coded, Columns, Minds, codes, happens, numbers

CHANNELS = ("portal", "e-mail", "chat", "phone")
THINGS = ("the export", "the price list", "the login page", "the monthly report", "the invoice", "the mobile app")
UPSET = (
    "This is terrible, {} is broken again and nobody seems to care.",
    "We are very disappointed, {} still does not work and it is really bad.",
)
PLAIN = (
    "Could you please tell us how we can change the settings of {}?",
    "We would like to know when {} will be available to the other teams.",
)
GLAD = (
    "Thank you, {} is excellent. How can we share it with the others?",
    "We are happy with {}, it is a great help. One small question about it.",
)
GERMAN = ("Wir können {} seit gestern nicht mehr öffnen, bitte helfen Sie uns.",)
TEXTS = [sentence.format(thing) for sentence in UPSET + PLAIN + GLAD + GERMAN for thing in THINGS]


def tickets(rng: np.random.Generator, when: Calendar, minds: Minds, rows: Columns) -> Columns:
    """Channel and text of tickets; nothing is written on the phone, and a few write in German."""
    opened = numbers(rows["opened"])
    number = len(opened)
    health = minds.health[codes(rows["account"]), when.month(opened)]
    tone = np.digitize(health + rng.normal(0, 0.7, number), (-0.6, 0.9))
    sentence = np.where(happens(rng, opened, 0.1), 6, 2 * tone + rng.integers(0, 2, number))
    channel = rng.choice(len(CHANNELS), number, p=(0.4, 0.3, 0.2, 0.1))
    text = sentence * len(THINGS) + rng.integers(0, len(THINGS), number)
    return {"channel": Coded(CHANNELS, channel), "text": Coded(TEXTS, np.where(channel == 3, -1, text))}
