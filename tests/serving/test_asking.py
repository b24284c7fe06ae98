"""Whom to ask by command, on the simulated company: never an account that a rule speaks against, one budget for all."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from features.errors import PropensityError
from features.workspace import FILE, Workspace, load
from serving.stores.log import Log
from serving.stores.store import Store
from serving.work import writing
from serving.work.advocates import advocates, blocked, waiting
from serving.work.asking import Situation, ask
from tests.commands import Command


@pytest.fixture(scope="module")
def company(served: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """So few accounts are seldom near to leaving: here the likeliest tenth counts as at risk."""
    root = Path(shutil.copytree(served.root, tmp_path_factory.mktemp("asked") / "company"))
    store = Store(served)
    risks = sorted(score.probability for score in store.top("churn", store.require_shown("churn").rows))
    with (root / FILE).open("a", encoding="utf-8") as config:
        config.write(f"\n[asks]\nrisk = {risks[-len(risks) // 10]!r}\n")
    return load(root)


@pytest.fixture(scope="module")
def situation(company: Workspace) -> Situation:
    return Situation.of(company)


def test_the_list_holds_nobody_who_may_not_be_asked(company: Workspace, situation: Situation) -> None:
    found = advocates(Situation.of(company), 1000)
    assert found.asked
    assert found.blocked
    assert {one.account for one in found.asked} | set(found.blocked) == set(situation.facing)
    for one in found.asked:
        facing = situation.facing[one.account]
        assert facing.risk is None or facing.risk < company.config.asks.risk
        person = next(each for each in situation.people[one.account] if each.contact == one.contact)
        assert one.kind in person.consent
    chances = [one.probability for one in found.asked if one.probability is not None]
    assert chances == sorted(chances, reverse=True)
    rules = {each.rule for one in found.blocked.values() for each in one.objections}
    assert {"risk", "tenure", "nobody to ask"} <= rules


def test_people_are_those_who_were_there_with_what_they_had_agreed_to_by_then(situation: Situation) -> None:
    everybody = [person for people in situation.people.values() for person in people]
    assert len({person.contact for person in everybody}) == len(everybody)
    assert any(person.consent for person in everybody)
    assert any(person.mood is not None and 0 <= person.mood <= 1 for person in everybody)
    assert all(person.used is None or person.used > 0 for person in everybody)
    assert all(
        person.consent_at is None or person.consent_at <= situation.as_of for person in everybody if person.consent
    )


def test_an_ask_is_made_answered_and_rests(company: Workspace, propensity: Command) -> None:
    where = ("--workspace", company.root)
    first = propensity("advocates", "--top", 3, *where, "--json").document["lines"][0]
    account, today = first["account"], str(Situation.of(company).as_of + timedelta(days=1))
    assert propensity("eligibility", account, *where, "--json").document["eligible"]
    made = propensity(
        "ask", "make", account, "--kind", first["kind"], "--by", "ann", "--at", today, *where, "--json"
    ).document
    assert (made["event"], made["contact"]) == ("asked", first["contact"])
    told = propensity("eligibility", account, *where, "--json").document
    assert {one["rule"] for one in told["objections"]} >= {"open ask", "asked lately"}
    propensity("ask", "accepted", made["thing"], "--by", "ann", "--at", today, *where)
    propensity("ask", "done", made["thing"], "--by", "ann", "--at", today, *where)
    told = propensity("eligibility", account, *where, "--json").document
    assert (told["eligible"], {one["rule"] for one in told["objections"]}) == (False, {"asked lately"})
    assert told["clears"] == str(Situation.of(company).as_of + timedelta(days=91))
    assert account not in {line["account"] for line in propensity("advocates", *where, "--json").document["lines"]}
    words = " ".join(propensity("eligibility", account, *where).out.split())
    assert "may not be asked" in words
    assert f"clears on {told['clears']}" in words
    shown = " ".join(propensity("advocates", "--top", 3, *where).out.split())
    assert "whom to ask, as of" in shown
    assert "may not be asked:" in shown


def test_who_may_not_be_asked_is_refused_by_every_rule(company: Workspace, propensity: Command) -> None:
    situation, where = Situation.of(company), ("--workspace", company.root)
    at_risk = max((one for one in situation.facing.values() if one.risk is not None), key=lambda one: one.risk or 0)
    refused = propensity("ask", "make", at_risk.account, "--kind", "review", "--by", "ann", *where, "--json")
    assert refused.status == 2
    assert "it may leave" in refused.document["error"]
    assert "Time alone" in refused.document["hint"]
    for arguments, words in (
        (("nobody", "--kind", "review"), "'nobody' is not among those"),
        ((at_risk.account, "--kind", "favour"), "no kind of ask is called 'favour'"),
    ):
        told = propensity("ask", "make", *arguments, "--by", "ann", *where, "--json")
        assert (told.status, words in told.document["error"]) == (2, True)


def test_of_two_who_ask_at_once_one_is_refused(company: Workspace) -> None:
    line = advocates(Situation.of(company), 5).asked[-1]

    def asked(by: str) -> bool:
        try:
            ask(Situation.of(company), line.account, line.kind, line.contact, by)
        except PropensityError as error:
            assert "may not be asked" in error.message
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(asked, ["ann", "bob", "cem", "dee"])) == 1
    assert len([one for one in Log(company).entries("ask", [line.account]) if one.event == "asked"]) == 1


def test_a_contact_who_has_not_agreed_is_refused_and_who_has_is_named(company: Workspace) -> None:
    line = advocates(Situation.of(company), 20).asked[-1]
    people = Situation.of(company).people[line.account]
    with pytest.raises(PropensityError, match="is not there") as refused:
        ask(Situation.of(company), line.account, line.kind, "nobody", "ann")
    assert line.contact in refused.value.hint
    for person in people:
        if "speaking" not in person.consent:
            with pytest.raises(PropensityError, match="has not agreed to a speaking"):
                ask(Situation.of(company), line.account, "speaking", person.contact, "ann")


def test_what_the_log_says_since_makes_the_situation_that_one_would_find_anew(company: Workspace) -> None:
    before, log = Situation.of(company), Log(company)
    judged = {account: before.eligibility(account) for account in before.facing}
    account = advocates(before, 1).asked[0].account
    made = ask(before, account, advocates(before, 1).asked[0].kind, None, "ann")
    other = next(one for one in before.facing if one != account and judged[one].eligible)
    log.add([writing.opt_out(log, other, "ann")])
    anew, now = Situation.of(company), before.by_now([*log.entries("ask"), *log.entries("opt-out")])
    assert (now.facing, now.asks, now.logged) == (anew.facing, anew.asks, anew.logged)
    assert {one: now.eligibility(one) for one in now.facing} == {one: anew.eligibility(one) for one in anew.facing}
    assert "opted out" in {each.rule for each in now.eligibility(other).objections}
    assert made.thing in {one["ask"] for one in waiting(now, logged=True).lines}


def test_lists_come_in_pieces_by_owner_and_by_kind(situation: Situation) -> None:
    whole = advocates(situation, 1000)
    pieces = [advocates(situation, 3, skip) for skip in range(0, whole.count, 3)]
    assert [one for piece in pieces for one in piece.asked] == whole.asked
    assert {piece.count for piece in pieces} == {whole.count} == {len(whole.asked)}
    owner, kind = whole.asked[0].owner, whole.asked[0].kind
    assert owner is not None
    mine = advocates(situation, 1000, owner=owner, kind=kind).asked
    assert mine == [one for one in whole.asked if (one.owner, one.kind) == (owner, kind)]
    assert blocked(situation, 1000, owner=owner).count == sum(
        situation.owners[account] == owner for account in whole.blocked
    )
    with pytest.raises(PropensityError, match="nobody called 'x'"):
        waiting(situation, owner="x")
