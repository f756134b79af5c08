"""Languages that the corpus has no text in are found before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsuite.errors import DataError
from evalsuite.task import DataSource
from recipes.errors import RecipeError
from recipes.hashing import DigestMemo
from recipes.parsing.recipe_file import load
from recipes.planning.data_digests import digest_need
from recipes.planning.plan import make_plan
from recipes.stages._shared.contract import PARALLEL, corpus_in

MODEL = "package:recipes/models/e5-mini"
RECIPE = """
name: demo
source: embedded
stages:
  - {name: small, STAGE}
"""
STAGES = [
    f"stage: trim, model: '{MODEL}', languages: [LANGUAGES]",
    "stage: factor, model: org/name, languages: [LANGUAGES]",
    f"stage: distill, teacher: '{MODEL}', layers: 1, logits: 0, languages: [LANGUAGES]",
    f"stage: pretrain, model: '{MODEL}', steps: 5, languages: [LANGUAGES]",
    f"stage: train, model: '{MODEL}', tasks: [xnli], method: full, mlm: 0.1, mlm_languages: "
    "[LANGUAGES]",
]


def _refused(tmp_path: Path, stage: str) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE.replace("STAGE", stage))
    try:
        make_plan(load(str(path)), None, DigestMemo())
    except RecipeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.split(",")[0].split()[-1])
def test_a_language_without_text_is_named(stage: str, tmp_path: Path) -> None:
    assert not _refused(tmp_path, stage.replace("LANGUAGES", "en, de, sw"))

    said = _refused(tmp_path, stage.replace("LANGUAGES", "en, de, is, ga"))

    assert "the corpus has no parallel text in is, ga\n" in said
    assert "name languages that it has: ar, de, es, " in said
    assert "add parallel/" not in said


def test_the_files_of_a_corpus_count(tmp_path: Path) -> None:
    (tmp_path / "parallel").mkdir()
    (tmp_path / "parallel" / "is.tsv").write_text("A dog sleeps.\tHundur sefur.\tmade\n")
    source = DataSource("xtreme", tmp_path)
    whole = digest_need(PARALLEL, source)

    assert digest_need(corpus_in(("en", "is")), source) == whole  # so that keys are the same
    with pytest.raises(DataError, match="no parallel text in de\n") as caught:
        digest_need(corpus_in(("is", "de")), source)

    assert "name languages that it has: is; or add parallel/de.tsv" in str(caught.value)
