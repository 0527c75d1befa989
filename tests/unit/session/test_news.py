"""What pages are told beside the screen."""

import json
from dataclasses import replace

import pytest
from samples import Maker, sample

from desktop import process
from desktop.errors import Refusal
from desktop.session import news, record
from desktop.settings import Settings


def test_what_is_told(site: Settings) -> None:
    told = json.loads(news.text(sample(deadline=process.boottime() + 90), site))
    assert 85 <= told["left"] <= 90 and told["warn"] == site.warn_before_end
    assert told["title"] == "Tiny" and told["asks"] and told["message"] is None
    endless = json.loads(news.text(sample(), replace(site, warn_before_end=0)))
    assert endless["left"] is None and endless["warn"] is None
    over = json.loads(news.text(sample(deadline=1.0), site))
    assert over["left"] == 0


def test_nothing_of_the_owner_is_told(site: Settings) -> None:
    text = news.text(sample(owner="ann-owner", source="192.0.2.7", mail="ann@example.org"), site)
    assert "ann" not in text and "192.0.2.7" not in text


def test_a_message_is_kept_for_who_comes_later(site: Settings) -> None:
    entry = replace(sample(), **news.message({"text": "Bye <b>", "sender": "root"}))
    assert record.decode(record.encode(entry)) == entry
    told = json.loads(news.text(entry, site))["message"]
    assert (told["text"], told["from"]) == ("Bye <b>", "root") and told["at"] > 1e9


@pytest.mark.parametrize("words", ["", " \t ", "x" * 501, "a\x1b[2J", "a\u202eb", "a\0"])
def test_messages_that_are_none(site: Settings, make: Maker, words: str) -> None:
    entry = record.read(make().directory)
    with pytest.raises(Refusal) as refusal:
        news.send(site, entry, words, "root")
    assert refusal.value.status == 400


def test_a_keeper_that_is_gone_is_said(site: Settings, make: Maker) -> None:
    entry = record.read(make().directory)
    with pytest.raises(Refusal) as refusal:
        news.send(site, entry, "Hello", "root")
    assert refusal.value.status == 503
