"""What a request gets in place of an answer where a value is not what it should be."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("fastapi")

from served import Echo, client

from evalsuite.serving.request_bodies import OpenAiBody, TagsBody, read

EMPTY_QUESTION = {"question": " ", "context": "b"}


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("predict", {"inputs": ["   "]}, "inputs[0]: an empty text"),  # as predict calls it
        ("predict", {"inputs": [["a", "\u3000\n"]]}, "inputs[0][1]: an empty text"),
        ("predict", {"inputs": ["a", "\x1c"]}, "inputs[1]: an empty text"),
        ("predict", {"inputs": [{"text": "a"}]}, "inputs[0]: neither a text nor a list of texts"),
        ("tags", {"inputs": [[" ", "\u3000"]]}, "inputs[0]: an empty text"),
        ("tags", {"inputs": [["a", ""]]}, "inputs[0][1]: an empty text"),
        ("answers", {"inputs": [EMPTY_QUESTION]}, "inputs[0].question: an empty text"),
        ("choices", {"inputs": [{"context": "a", "choices": ["b"]}]},
         "inputs[0].choices: 1 given, and 2 or more are needed"),
        ("embed", {"inputs": [" "]}, "inputs[0]: an empty text"),
        ("embeddings", {"input": ""}, "input: an empty text"),
        ("embeddings", {"input": ["a", ""]}, "input[1]: an empty text"),
        ("embeddings", {"input": [1, 2]},
         "input[0]: not a text; token ids are not taken, so send texts"),
        ("embeddings", {"input": "a", "dimensions": 0}, "dimensions: less than 1"),
        ("embeddings", {"input": "a", "encoding_format": "x"},
         "encoding_format: 'float' or 'base64' is expected"),
        ("predict", {"inputs": "a"}, "inputs: not a list"),
        ("answers", {"inputs": ["a"]}, "inputs[0]: not an object with keys"),
        ("predict", {"inputs": ["a"], "language": "d"}, "language: shorter than 2 characters"),
        ("embeddings", {"input": "a", "dimensions": "x"}, "dimensions: not a whole number"),
        ("embeddings", {"input": "a", "dimensions": 1.5}, "dimensions: not a whole number"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_plain_words(path: str, body: dict[str, Any], said: str) -> None:
    async def ask() -> Any:
        async with client([Echo(), Echo("vectors", "embeddings")]) as http:
            return await http.post(f"/v1/{path}", json=body)

    answer = asyncio.run(ask())
    assert answer.status_code == 422 and answer.json()["error"]["message"] == said


def test_spaces_alone_may_be_one_of_several_words_and_one_of_openai_s_texts() -> None:
    words = {"inputs": [["东京", "\u3000", "站"]]}
    assert read(TagsBody, json.dumps(words).encode()).inputs == words["inputs"]
    assert read(OpenAiBody, b'{"input": ["a", " "]}').input == ["a", " "]
    assert read(OpenAiBody, b'{"input": " "}').input == " "
