"""Options of `lingopress serve` that are refused before a model is loaded."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

pytest.importorskip("fastapi")

from evalsuite.serving.limits import Limits
from evalsuite.serving.server import AddressError, listen
from recipes.cli.app import main
from recipes.cli.serve_command import limits_of
from recipes.errors import RecipesError

DEFAULTS: dict[str, Any] = {limit.name: limit.default for limit in fields(Limits)}


@pytest.mark.parametrize("name", ["wait", "answer", "read", "stop"])
@pytest.mark.parametrize("value", ["inf", "nan", "1e10"])
def test_a_time_that_cannot_be_waited_for_is_refused(
    capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["serve", "no-model", "--port", "0", f"--max-{name}", value])
    assert end.value.code
    said = capsys.readouterr().err
    assert f"--max-{name} {float(value):g} is no time that can be waited for" in said
    assert f"give 1000000 or less, as in: --max-{name} {DEFAULTS[name]:g}" in said


def test_the_longest_time_and_the_defaults_are_taken() -> None:
    assert limits_of(DEFAULTS) == Limits()
    assert limits_of(DEFAULTS | {"stop": 1e6}).stop == 1e6


def test_more_rows_than_may_wait_are_refused() -> None:
    with pytest.raises(RecipesError, match="--max-rows 5 is more than --max-queue 4"):
        limits_of(DEFAULTS | {"rows": 5, "queue": 4})


def test_an_empty_key_is_refused_in_the_variable_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*more: str) -> str:
        with pytest.raises(SystemExit) as end:
            main(["serve", "no-model", "--port", "0", *more])
        assert end.value.code == 2
        return capsys.readouterr().err

    monkeypatch.delenv("LINGOPRESS_API_KEY", raising=False)
    assert said().startswith("error: there is no directory no-model")
    assert said("--api-key", "").startswith("error: the API key is empty")
    monkeypatch.setenv("LINGOPRESS_API_KEY", "")
    assert said().startswith("error: the API key is empty")
    assert said("--api-key", "s3cret").startswith("error: there is no directory no-model")


def test_an_empty_address_and_one_that_cannot_be_are_refused() -> None:
    with pytest.raises(AddressError, match=r"is empty\nname one with --host: 127.0.0.1 is"):
        listen("", 0)
    with pytest.raises(AddressError, match=r"cannot listen on é+ port 0: .*\nchoose another"):
        listen("é" * 80, 0)
