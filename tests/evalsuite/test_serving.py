"""`lingopress serve` in this process: batches across requests, limits, forms of answers."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import numpy as np
import pytest

pytest.importorskip("fastapi")

from served import Echo, client, vector

from evalsuite.serving import app as module
from evalsuite.serving.api_key import KeyFormError, checked
from evalsuite.serving.body_limit import BodyLimit
from evalsuite.serving.limits import Limits
from evalsuite.serving.request_bodies import BODIES

LIMITS: dict[str, Any] = {"body": 2000, "rows": 10, "text": 100, "queue": 40}


def ask(
    models: list[Any], work: Callable[[httpx2.AsyncClient], Awaitable[Any]], **limits: Any
) -> Any:
    async def run() -> Any:
        async with client(models, **LIMITS | limits) as http:
            return await work(http)

    return asyncio.run(run())


async def predict(http: httpx2.AsyncClient, *inputs: Any, **more: Any) -> httpx2.Response:
    return await http.post("/v1/predict", json={"inputs": inputs, **more})


def test_requests_share_batches_and_get_their_own_answers() -> None:
    model = Echo(seconds=0.02)

    async def work(http: httpx2.AsyncClient) -> list[httpx2.Response]:
        return await asyncio.gather(*(predict(http, f"a{i}", [f"b{i}", "c"]) for i in range(20)))

    answers = ask([model], work, batch=7)
    for i, answer in enumerate(answers):
        labels = [row["label"] for row in answer.json()["results"]]
        assert labels == [f"a{i}", f"b{i} c"]
    assert len(model.batches) < 12 and max(map(len, model.batches)) == 7
    assert sum(map(len, model.batches)) == 40


def test_a_row_waits_for_others_no_longer_than_it_should() -> None:
    model = Echo()

    async def work(http: httpx2.AsyncClient) -> None:
        first = asyncio.ensure_future(predict(http, "a"))
        await asyncio.sleep(0.05)
        await asyncio.gather(first, predict(http, "b"))

    ask([model], work, wait=500.0, batch=2)  # the second row fills the batch
    assert model.batches == [[("a",), ("b",)]]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("predict", "x" * 2001, 413, "this server takes 2,000, so send its rows in several"),
        (
            "predict",
            {"model": "echo", "inputs": ["a"] * 11},
            413,
            "inputs: 11 rows; this server takes 10 per",
        ),
        (
            "predict",
            {"model": "echo", "inputs": ["a", "b" * 101]},
            422,
            "inputs[1]: a text of 101 characters",
        ),
        ("predict", '{"inputs": ["a"', 422, "the body is no JSON: EOF"),
        ("predict", "[" * 1000, 422, "the body is no JSON: recursion limit"),
        ("predict", b"\xff\xfe", 422, "the body is no JSON"),
        ("predict", "", 422, "the body is no JSON"),
        ("predict", {"inputs": []}, 422, "inputs: 0 given, and 1 or more are needed"),
        ("predict", {"inputs": ["a", 7]}, 422, "inputs[1]: neither a text nor a list"),
        ("predict", {"inputs": [["a", "b", "c"]]}, 422, "inputs[0]: more than 2 given"),
        ("answers", {"inputs": [{"question": "a", "text": "b"}]}, 422, "[0].context: this key is"),
        ("predict", {"inputs": ["a", ""]}, 422, "inputs[1]: an empty text"),
        (
            "predict",
            {"inputs": ["a"], "modle": "x"},
            422,
            "there is no key 'modle'; keys: model, inputs",
        ),
        (
            "predict",
            {"inputs": ["a"], "model": "ecko"},
            404,
            "no model 'ecko'; did you mean 'echo'? there are echo (predict), second",
        ),
        (
            "predict",
            {"inputs": ["a"], "model": "quite another"},
            404,
            "there is no model 'quite another'; there are echo (predict), second (predict)",
        ),
        (
            "predict",
            {"inputs": ["a"], "model": "a" * 256},
            422,
            "model: longer than 255 characters",
        ),
        ("embeddings", {"input": "a", "model": "a" * 256}, 422, "model: longer than 255"),
        ("predict", {"inputs": ["a"], "b" * 61: 1}, 422, f"no key '{'b' * 60}…'; keys: model"),
        ("predict", {"inputs": ["a"]}, 422, "model: name one of echo, second"),
        ("tags", {"inputs": ["a"]}, 422, "no model here answers such requests"),
        ("embed", {"inputs": ["a"], "model": "echo"}, 422, "POST /v1/predict"),
        ("embeddings", {"input": ["a"], "dimensions": 9}, 422, "vectors of this model have 8"),
        ("embeddings", {"input": [[1, 2]]}, 422, "input[0]: not a text"),
        ("nothing", {}, 404, "there is nothing at /v1/nothing; there are /health, /metrics"),
    ],
)
def test_what_is_refused(path: str, body: Any, status: int, said: str) -> None:
    content = json.dumps(body) if isinstance(body, dict) else body
    models = [Echo(), Echo("second"), Echo("vectors", "embeddings")]
    answer = ask(models, lambda http: http.post(f"/v1/{path}", content=content))
    error = answer.json()["error"]
    assert answer.status_code == error["code"] == status and said in error["message"], error
    assert not any(model.batches for model in models if path != "embeddings")


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (
            "choices",
            {"inputs": [{"context": "a", "choices": ["b"] * 9}] * 9},
            413,
            "inputs: 81 choices; this server takes 80 per request",
        ),
        (
            "choices",
            {"inputs": [{"context": "a", "choices": ["b"] * 11}]},
            422,
            "inputs[0]: 11 choices; this server takes 10 per row",
        ),
        ("tags", {"inputs": [["ab"] * 34]}, 422, "inputs[0]: a text of 101 characters"),
        ("embed", {"inputs": ["a"], "prefix": "b" * 100}, 422, "inputs[0]: a text of 101"),
    ],
)
def test_what_many_parts_of_a_row_would_cost_is_refused(
    path: str, body: Any, status: int, said: str
) -> None:
    models = [Echo("c", "choices"), Echo("t", "tags"), Echo("v", "embeddings")]
    answer = ask(models, lambda http: http.post(f"/v1/{path}", content=json.dumps(body)))
    assert answer.status_code == status and said in answer.json()["error"]["message"]
    assert not any(model.batches for model in models)


def test_a_question_goes_with_its_context() -> None:
    model = Echo("c", "choices")
    row = {"context": "a", "question": "Why?", "choices": ["b", "c"]}
    body = json.dumps({"inputs": [row, {"context": "a", "choices": ["b", "c"]}]})
    ask([model], lambda http: http.post("/v1/choices", content=body))
    assert model.batches == [[("a\tWhy?", "b", "c"), ("a", "b", "c")]]


@pytest.mark.slow
def test_a_full_queue_and_a_late_answer() -> None:
    model = Echo()
    model.may_answer.clear()

    async def waiting(http: httpx2.AsyncClient, rows: int) -> None:
        while f'waiting_rows{{model="echo"}} {rows}.0' not in (await http.get("/metrics")).text:
            await asyncio.sleep(0.005)

    async def work(http: httpx2.AsyncClient) -> tuple[Any, ...]:
        late = asyncio.ensure_future(predict(http, *"abcdefghij"))
        while not model.batches:
            await asyncio.sleep(0.005)
        more = [asyncio.ensure_future(predict(http, *"abcdefghij")) for _ in range(5)]
        await waiting(http, 40)
        busy = await predict(http, "k")
        answers = await late, busy, await asyncio.gather(*more)
        model.may_answer.set()
        await waiting(http, 0)
        return answers

    late, busy, more = ask([model], work, batch=10, answer=0.5)
    assert busy.status_code == 429 and busy.headers["retry-after"] == "1"
    assert "40 rows wait for the model 'echo', and this server lets 40 wait" in busy.text
    assert late.status_code == 503 and "no answer within 0.5 seconds" in late.text
    assert [answer.status_code for answer in more].count(429) == 1
    assert len(model.batches) == 1  # of rows that nobody waits for, none is run


def test_a_row_that_fails_fails_alone() -> None:
    model = Echo(seconds=0.02)

    async def work(http: httpx2.AsyncClient) -> list[httpx2.Response]:
        rows = ("a", "fail", "b", "c")
        return await asyncio.gather(*(predict(http, row) for row in rows))

    statuses = [answer.status_code for answer in ask([model], work)]
    assert statuses == [200, 500, 200, 200]


def test_vectors_in_both_forms() -> None:
    model = Echo("e5", "embeddings")

    async def work(http: httpx2.AsyncClient) -> list[Any]:
        bodies = [{"input": "a"}, {"input": ["a", "b"], "encoding_format": "base64", "user": "u"}]
        bodies += [{"input": ["b"], "dimensions": 3, "model": "e5"}]
        found = [(await http.post("/v1/embeddings", json=body)).json() for body in bodies]
        plain = await http.post("/v1/embed", json={"inputs": ["a"], "prefix": ""})
        return [*found, plain.json()]

    floats, coded, short, plain = ask([model], work)
    assert floats["data"][0]["embedding"] == pytest.approx(vector("query: a").tolist(), abs=1e-7)
    assert floats["usage"] == {"prompt_tokens": 8, "total_tokens": 8} and floats["model"] == "e5"
    decoded = [np.frombuffer(base64.b64decode(r["embedding"]), "<f4") for r in coded["data"]]
    assert [row.tolist() for row in decoded] == [vector(f"query: {t}").tolist() for t in "ab"]
    assert [row["index"] for row in coded["data"]] == [0, 1]
    cut = vector("query: b")[:3]
    expected = (cut / np.linalg.norm(cut)).tolist()
    assert short["data"][0]["embedding"] == pytest.approx(expected, abs=1e-6)
    assert plain["results"][0] == pytest.approx(vector("a").tolist(), abs=1e-7)


def test_tags_take_words_or_a_text() -> None:
    model = Echo("tags", "tags")
    body = {"inputs": ["it rains", ["it", "rains"]]}
    ask([model], lambda http: http.post("/v1/tags", json=body))
    assert model.batches == [[("it rains",), ("words", "it", "rains")]]


def test_the_interface_is_described_with_examples_that_are_valid() -> None:
    async def work(http: httpx2.AsyncClient) -> tuple[Any, str, Any]:
        await predict(http, "a", "b")
        await http.get("/a/name/nobody/serves")
        described = await http.get("/openapi.json")
        return described.json(), (await http.get("/metrics")).text, await http.get("/ready")

    described, metrics, ready = ask([Echo()], work)
    for kind in BODIES:
        examples = described["components"]["schemas"][kind.__name__]["examples"]
        assert examples and all(kind.model_validate(example) for example in examples)
    for path in ("predict", "tags", "answers", "choices", "embed", "embeddings"):
        route = described["paths"][f"/v1/{path}"]["post"]
        assert route["requestBody"]["required"] and {"200", "413", "429"} <= set(route["responses"])
    assert 'lingopress_rows_total{model="echo"} 2.0' in metrics
    assert 'lingopress_requests_total{route="/v1/predict",status="200"} 1.0' in metrics
    assert 'route="other",status="404"' in metrics and "nobody" not in metrics
    assert ready.json() == {"status": "ready"}


def test_a_body_that_comes_too_slowly_is_refused() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        if len(sent) < 1:
            sent.append("a part")
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(60)
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("half a body was passed on")

    limited = BodyLimit(never, Limits(read=0.05))
    scope = {"type": "http", "headers": [], "path": "/v1/predict"}
    asyncio.run(limited(scope, receive, send))
    assert sent[1]["status"] == 408 and b"did not arrive within 0.05 seconds" in sent[2]["body"]
    assert (b"connection", b"close") in sent[1]["headers"]


def test_a_server_with_too_many_bytes_in_work_says_when_to_come_again() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{" * 2000, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    limited = BodyLimit(None, Limits(bodies=1024))  # type: ignore[arg-type]
    asyncio.run(limited({"type": "http", "headers": [], "path": "/v1/predict"}, receive, send))
    assert sent[0]["status"] == 429
    assert (b"retry-after", b"1") in sent[0]["headers"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer s3cret"}, 200),
        ({"authorization": "bearer  s3cret"}, 200),
        ({}, 401),
        ({"Authorization": "Bearer s3cre"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Bearer s3cret2"}, 401),
        ({"Authorization": "Basic s3cret"}, 401),
        ({"Authorization": "s3cret"}, 401),
        ([("Authorization", "Bearer s3cret"), ("Authorization", "Bearer other")], 401),
    ],
)
def test_a_server_with_a_key_answers_only_those_who_have_it(headers: Any, status: int) -> None:
    model = Echo()

    async def work(http: httpx2.AsyncClient) -> list[httpx2.Response]:
        paths = ("/metrics", "/v1/models", "/openapi.json", "/nothing", "/health", "/ready")
        body = {"inputs": ["a"]}
        asked = await http.post("/v1/predict", json=body, headers=headers)
        return [asked, *[await http.get(path, headers=headers) for path in paths]]

    answers = ask([model], work, api_key="s3cret")
    found = [answer.status_code for answer in answers]
    assert found == [status, status, status, status, 404 if status == 200 else 401, 200, 200]
    assert len(model.batches) == (status == 200)
    if status == 401:
        assert answers[0].headers["www-authenticate"] == "Bearer"
        error = answers[0].json()["error"]
        assert error["code"] == 401 and "Authorization: Bearer KEY" in error["message"]
    else:
        described = answers[3].json()
        assert described["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
        assert described["security"] == [{"key": []}]
        assert described["components"]["schemas"]["PredictBody"]["examples"]


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "line\n"])
def test_a_key_that_no_header_can_hold_is_refused(key: str) -> None:
    with pytest.raises(KeyFormError, match="a key is made by"):
        checked(key)


def test_fastapi_reports_to_nobody() -> None:
    app = module.create_app([], Limits())
    assert not app._native_telemetry.enabled()
