"""The queue, its poller and its dead-letter queue on the real MiniStack, with functions of the test's own."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from local.aws.lambda_context import LambdaContext
from local.aws.poller import Poller, poll_in_order
from local.aws.template import Consumer, Function, Handler
from local.ministack.ministack import BUCKET, DEAD_LETTER_QUEUE, MAX_RECEIVE_COUNT, NEWS_QUEUE, QUEUE, MiniStack

PROCESS = Function("Process", "nowhere.handler", 900)

Event = dict[str, Any]


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    # Not a second of invisibility: what fails comes again at once.
    running = MiniStack(tmp_path_factory.mktemp("ministack"), visibility_seconds=0)
    running.start()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _empty(ministack: MiniStack) -> None:
    for name in (QUEUE, NEWS_QUEUE, DEAD_LETTER_QUEUE):
        ministack.sqs().purge_queue(QueueUrl=ministack.queue_url(name))


def poller(ministack: MiniStack, handler: Handler, batch_size: int = 10, queue: str = QUEUE) -> Poller:
    return Poller(ministack.sqs(), ministack.queue_url(queue), Consumer(PROCESS, batch_size), handler)


def send(ministack: MiniStack, *bodies: str, queue: str = QUEUE) -> None:
    for body in bodies:
        ministack.sqs().send_message(QueueUrl=ministack.queue_url(queue), MessageBody=body)


def bodies(ministack: MiniStack, queue: str) -> list[str]:
    found = ministack.sqs().receive_message(QueueUrl=ministack.queue_url(queue), MaxNumberOfMessages=10)
    return sorted(message["Body"] for message in found.get("Messages", []))


def test_record_is_that_of_lambda(ministack: MiniStack) -> None:
    seen: list[Event] = []

    def handler(event: Event, context: object) -> object:
        assert isinstance(context, LambdaContext)
        assert context.get_remaining_time_in_millis() > 899_000
        seen.extend(event["Records"])
        return None

    send(ministack, "one")
    assert poller(ministack, handler).poll(0) == 1
    (record,) = seen
    assert record["body"] == "one"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:assay"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"messageId", "receiptHandle", "md5OfBody", "messageAttributes", "awsRegion"} <= set(record)
    assert bodies(ministack, "assay") == []


def test_only_what_failed_stays(ministack: MiniStack) -> None:
    def handler(event: Event, _context: object) -> object:
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    send(ministack, "good", "bad", "fine")
    assert poller(ministack, handler).poll(0) == 3
    assert bodies(ministack, "assay") == ["bad"]


@pytest.mark.parametrize(
    "answer",
    [RuntimeError("crash"), {"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"batchItemFailures": [{}]}],
    ids=["raises", "unknown id", "no id"],
)
def test_whole_batch_fails(ministack: MiniStack, answer: object) -> None:
    def handler(_event: Event, _context: object) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    send(ministack, "one", "two")
    poller(ministack, handler).poll(0)
    assert bodies(ministack, "assay") == ["one", "two"]


def test_message_that_always_fails_goes_to_the_dead_letter_queue_after_three_tries(ministack: MiniStack) -> None:
    tries = 0

    def handler(_event: Event, _context: object) -> object:
        nonlocal tries
        tries += 1
        raise RuntimeError("crash")

    send(ministack, "poison")
    failing = poller(ministack, handler)
    while failing.poll(0):
        pass
    assert tries == MAX_RECEIVE_COUNT == 3
    assert bodies(ministack, DEAD_LETTER_QUEUE) == ["poison"]


def test_batch_is_no_larger_than_the_template_says(ministack: MiniStack) -> None:
    send(ministack, "one", "two")
    assert poller(ministack, lambda _event, _context: None, batch_size=1).poll(0) == 1
    assert len(bodies(ministack, "assay")) == 1


def test_new_object_under_uploads_becomes_a_message_and_others_do_not(ministack: MiniStack) -> None:
    for key in ("outputs/a/b", "uploads/a/b"):
        ministack.s3().put_object(Bucket=BUCKET, Key=key, Body=b"x")
    seen: list[str] = []

    def handler(event: Event, _context: object) -> object:
        for record in event["Records"]:
            seen.extend(one["s3"]["object"]["key"] for one in json.loads(record["body"]).get("Records", []))
        return None

    poller(ministack, handler, queue=NEWS_QUEUE).poll(2)
    assert seen == ["uploads/a/b"]
    assert bodies(ministack, QUEUE) == []


def test_news_is_handed_over_before_any_hint_and_as_many_at_once_as_may_be(ministack: MiniStack) -> None:
    seen: list[list[str]] = []

    def handler(event: Event, _context: object) -> object:
        seen.append([record["body"] for record in event["Records"]])
        if seen[-1] == ["hint 1"]:
            send(ministack, "news 3", queue=NEWS_QUEUE)
        return None

    send(ministack, "hint 1", "hint 2")
    send(ministack, "news 1", "news 2", queue=NEWS_QUEUE)
    news, hints = poller(ministack, handler, queue=NEWS_QUEUE), poller(ministack, handler, batch_size=1)
    for _ in range(4):
        poll_in_order(news, hints, wait_seconds=0)
    assert [sorted(batch) for batch in seen] == [["news 1", "news 2"], ["hint 1"], ["news 3"], ["hint 2"]]


def test_news_ends_the_wait(ministack: MiniStack) -> None:
    seen: list[str] = []
    ready = threading.Event()

    def handler(event: Event, _context: object) -> object:
        seen.extend(record["body"] for record in event["Records"])
        return None

    class Announced(Poller):
        """Says when it begins to wait."""

        def poll(self, wait_seconds: int = 0) -> int:
            if wait_seconds:
                ready.set()
            return super().poll(wait_seconds)

    news = Announced(ministack.sqs(), ministack.queue_url(NEWS_QUEUE), Consumer(PROCESS, 10), handler)
    waiting = threading.Thread(target=poll_in_order, args=(news, poller(ministack, handler), 20))
    waiting.start()
    assert ready.wait(10)
    send(ministack, "news", queue=NEWS_QUEUE)
    waiting.join(10)
    assert not waiting.is_alive()
    assert seen == ["news"]


def test_requests_without_the_stack_s_own_key_are_refused(ministack: MiniStack) -> None:
    ministack.s3().put_object(Bucket=BUCKET, Key="outputs/secret", Body=b"x")
    with httpx.Client(trust_env=False, base_url=ministack.endpoint) as client:
        assert client.get(f"/{BUCKET}/outputs/secret").status_code == 403
        assert client.post("/_ministack/reset").status_code == 403
        assert client.get("/_ministack/sqs/messages").status_code == 403
        guessed = {"authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request"}
        assert client.get(f"/{BUCKET}/outputs/secret", headers=guessed).status_code == 403
        link = ministack.s3().generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "outputs/secret"})
        assert client.get(link).content == b"x"
        assert client.get(link.replace("outputs/secret", "outputs/other")).status_code == 403


def test_objects_links_and_queues_after_kill_9(tmp_path: Path) -> None:
    first = MiniStack(tmp_path)
    first.start()
    first.s3().put_object(Bucket=BUCKET, Key="outputs/kept", Body=b"kept")
    link = first.s3().generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "outputs/kept"})
    assert first._process is not None
    first._process.kill()
    first._process.wait()
    second = MiniStack(tmp_path, port=first.port)
    second.start()
    try:
        assert httpx.get(link, trust_env=False).content == b"kept"
        second.s3().put_object(Bucket=BUCKET, Key="uploads/new", Body=b"x")
        received = second.sqs().receive_message(
            QueueUrl=second.queue_url(NEWS_QUEUE), MaxNumberOfMessages=10, WaitTimeSeconds=2
        )
        assert any("uploads/new" in message["Body"] for message in received["Messages"])
    finally:
        second.stop()


def test_start_ends_a_ministack_that_was_left_running(tmp_path: Path) -> None:
    orphan = MiniStack(tmp_path)
    orphan.start()
    second = MiniStack(tmp_path)
    second.start()
    try:
        assert not orphan.running
        with pytest.raises(ClientError):
            second.s3().head_object(Bucket=BUCKET, Key="none")
    finally:
        second.stop()


def test_a_bucket_of_an_earlier_version_tells_the_queue_of_news_from_the_next_start_on(tmp_path: Path) -> None:
    first = MiniStack(tmp_path)
    first.start()
    sqs, old, new = first.sqs(), first.queue_url(), first.queue_url(NEWS_QUEUE)
    policy = sqs.get_queue_attributes(QueueUrl=new, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=old, Attributes={"Policy": policy.replace(f":{NEWS_QUEUE}", f":{QUEUE}")})
    (told,) = first.s3().get_bucket_notification_configuration(Bucket=BUCKET)["QueueConfigurations"]
    told["QueueArn"] = told["QueueArn"].removesuffix(NEWS_QUEUE) + QUEUE
    first.s3().put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}
    )
    first.stop()
    second = MiniStack(tmp_path, port=first.port)
    second.start()
    try:
        second.sqs().purge_queue(QueueUrl=second.queue_url())
        second.s3().put_object(Bucket=BUCKET, Key="uploads/new", Body=b"x")
        received = second.sqs().receive_message(
            QueueUrl=second.queue_url(NEWS_QUEUE), MaxNumberOfMessages=10, WaitTimeSeconds=2
        )
        assert any("uploads/new" in message["Body"] for message in received["Messages"])
        assert bodies(second, QUEUE) == []
    finally:
        second.stop()
