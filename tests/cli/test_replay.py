"""Which objects are transformed again, and how they reach the queue."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.errors import CommandError, StillRunningError
from cli.queue_messages import send_messages
from cli.replay import ReplayRequest, replay, replay_dead_letters
from handlers import layout
from handlers.transform.events import objects_in
from tests.cli.operated_stack import NEW, OLD, OperatedStack
from tests.cli.screen import Screen

OLD_KEY, NEW_KEY = (str(layout.RawKey("saved_tracks", run, 0)) for run in (OLD, NEW))


@pytest.fixture(name="stack")
def fixture_stack(operated_stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> OperatedStack:
    """Provide a stack with two runs, whose transform is done when the first message is looked for."""
    for run in (OLD, NEW):
        operated_stack.add_run(run)
    operated_stack.put("raw_bucket_name", "raw/odd.jsonl.gz")
    followed: list[list[str]] = []

    def follow(_target: Any, keys: list[str], _result: Any, *, since: Any) -> None:
        assert since is not None
        followed.append(keys)

    monkeypatch.setattr("cli.replay.follow_transform", follow)
    operated_stack.clients["followed"] = followed
    return operated_stack


def sent(stack: OperatedStack) -> list[str]:
    """Return the keys that the transform would read, in its own words."""
    bodies = stack.messages(stack.outputs["transform_queue_url"])
    created = [one for body in bodies for one in objects_in(body)]
    assert {one.bucket for one in created} <= {"raw-1"}
    return sorted(one.key for one in created)


@pytest.mark.parametrize(
    ("request_", "keys"),
    [
        (ReplayRequest(streams="saved_tracks"), [OLD_KEY, NEW_KEY]),
        (ReplayRequest(streams="saved_tracks", since="2026-11-02"), [NEW_KEY]),
        (ReplayRequest(until="2026-11-01"), [OLD_KEY, str(layout.ManifestKey(OLD, 0))]),
        (
            ReplayRequest(),
            [OLD_KEY, NEW_KEY, "raw/odd.jsonl.gz", *(str(layout.ManifestKey(run, 0)) for run in (OLD, NEW))],
        ),
    ],
)
def test_chosen_objects_are_sent_and_followed(stack: OperatedStack, request_: ReplayRequest, keys: list[str]) -> None:
    screen = Screen()
    replay(stack.target, request_, console=screen.console)
    assert sent(stack) == sorted(keys)
    (followed,) = stack.clients["followed"]
    assert sorted(followed) == sorted(key for key in keys if "odd" not in key)
    assert f"Done: {len(keys)} object" in screen.text


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (ReplayRequest(streams="top_tracks"), "There is nothing to replay: the raw bucket has no such objects;"),
        (
            ReplayRequest(streams="saved_track"),
            "--stream has 'saved_track', which is not a stream: did you mean saved_tracks?",
        ),
        (ReplayRequest(since="2026-11-02", until="2026-11-01"), "--since 2026-11-02 is after --until 2026-11-01: swap"),
        (ReplayRequest(since="today"), "--since is 'today', but must be a date such as 2026-11-23."),
    ],
)
def test_bad_request_is_one_sentence(stack: OperatedStack, request_: ReplayRequest, message: str) -> None:
    with pytest.raises(CommandError) as error:
        replay(stack.target, request_, console=Screen().console)
    assert str(error.value).startswith(message)
    assert sent(stack) == []


def test_stopped_replay_says_what_continues(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.replay.send_messages", stop)
    with pytest.raises(
        StillRunningError, match=r"^Stopped\. At least 0 of 5 objects will still be transformed; run the"
    ):
        replay(stack.target, ReplayRequest(), console=Screen().console)


def test_dead_letters_of_the_transform_are_moved(stack: OperatedStack) -> None:
    def letter(key: str) -> str:
        return json.dumps(
            {
                "Records": [
                    {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "raw-1"}, "object": {"key": key}}}
                ]
            }
        )

    gone = NEW_KEY.replace("00000", "00007")
    for body in (letter(OLD_KEY), letter(gone), "no notification"):
        stack.send("transform", body)
    screen = Screen()
    replay_dead_letters(stack.target, yes=False, console=screen.console)
    assert sorted(stack.messages(stack.outputs["transform_queue_url"])) == sorted(
        [letter(OLD_KEY), letter(gone), "no notification"]
    )
    assert stack.messages(stack.outputs["dead_letter_queue_urls"]["transform"]) == []
    assert stack.clients["followed"] == [[OLD_KEY]]
    assert "1 object no longer in the raw bucket, or foreign" in screen.text


def test_other_dead_letters_are_deleted_only_with_consent(
    stack: OperatedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.send("extract", "{}")
    stack.send("publish", "{}")
    monkeypatch.setattr("builtins.input", lambda *_: "no")
    with pytest.raises(CommandError, match=r"^Nothing was deleted"):
        replay_dead_letters(stack.target, yes=False, console=Screen().console)

    screen = Screen()
    replay_dead_letters(stack.target, yes=True, console=screen.console)
    assert "1 dead letter of extract: a new run reads what they would have read: `spotify-etl extract`." in screen.text
    assert "1 dead letter of publish deleted." in screen.text
    letters = stack.outputs["dead_letter_queue_urls"]
    assert [stack.messages(letters[step]) for step in ("extract", "publish")] == [[], []]


def test_no_dead_letters_is_no_error(stack: OperatedStack) -> None:
    screen = Screen()
    replay_dead_letters(stack.target, yes=False, console=screen.console)
    assert screen.lines[1] == "There are no dead letters: nothing was given up."


class Sqs:
    """Accepts a message at the given try."""

    def __init__(self, accepts: Callable[[int], bool]) -> None:
        self.tries = 0
        self.accepts = accepts
        self.sizes: list[int] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl == "url"
        self.sizes.append(len(Entries))
        self.tries += 1
        failed = [] if self.accepts(self.tries) else Entries[-1:]
        return {"Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed]}


def test_message_that_sqs_refuses_is_sent_again() -> None:
    sqs: Any = Sqs(lambda number: number == 2)
    send_messages(sqs, "url", ["a", "b"])
    assert sqs.sizes == [2, 1]


def test_message_that_sqs_keeps_refusing_is_one_sentence() -> None:
    never: Any = Sqs(lambda _: False)
    with pytest.raises(
        CommandError, match=r"^SQS did not accept a message \(InternalError\): run the command again\.$"
    ):
        send_messages(never, "url", ["a"])
