"""The tasks of the embedded suite, as lists of examples.

>>> nli("test", "es")[0].second
'Los miércoles Clara Martin dibuja algo en Nueva York.'

Every function is deterministic: same arguments, same rows, on any machine. Supervised tasks have
the same scenes in every language and so translations of one another; the training half of
`parallel` draws its own scenes a language. Only `train` combinations occur in it, so no test
sentence, nor its translation, is text that a model was pretrained on.

Rows a language: nli train 3000, intermediate 3000, dev 300, test 300; pos and ner train 3000,
dev 300, test 300, paraphrases, qa and causes the same; parallel train 1500, test 200; comparable
200 a side, of which 100 have a partner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path

from evalsuite.data.embedded import causes as chains
from evalsuite.data.embedded import entities as linked
from evalsuite.data.embedded import inference, questions
from evalsuite.data.embedded.phrases import LANGUAGES as LANGUAGES
from evalsuite.data.embedded.phrases import Lexicon, Phrase, load
from evalsuite.data.embedded.realise import text, tokens
from evalsuite.data.embedded.scenes import Sampler, Scene, Split, distinct
from evalsuite.errors import UnknownNameError
from evalsuite.task import (
    Candidate,
    ChoiceExample,
    MiningExample,
    PairExample,
    ParallelExample,
    SpanExample,
    TagExample,
)

SIZES: dict[str, int] = {"train": 3000, "intermediate": 3000, "dev": 300, "test": 300}
PARALLEL_SIZES: dict[str, int] = {"train": 1500, "test": 200}

Ordered = tuple[Scene, int]
"""A scene and which of its language's word orders to say it in."""


def nli(split: Split, language: str) -> list[PairExample]:
    """Sentence pairs, a third each of entailment, neutral and contradiction, shuffled."""
    return _written(_pairs(split), split, language)


def pos(split: Split, language: str) -> list[TagExample]:
    """Words with their universal parts of speech."""
    return [
        TagExample(
            id=f"{split}-{language}-{number}",
            words=tuple(token.form for token in sentence),
            tags=tuple(token.upos for token in sentence),
        )
        for number, sentence in enumerate(_sentences("pos", split, language))
    ]


def ner(split: Split, language: str) -> list[TagExample]:
    """Words with IOB2 tags of persons, places and organisations; each sentence has a name."""
    return [
        TagExample(
            id=f"{split}-{language}-{number}",
            words=tuple(token.form for token in sentence),
            tags=tuple(token.entity for token in sentence),
        )
        for number, sentence in enumerate(_sentences("ner", split, language))
    ]


def paraphrases(split: Split, language: str) -> list[PairExample]:
    """Sentences of nearly the same words, half of them saying the same: `1`, else `0`.

    Those that do are one scene in two word orders; the others differ in the person, the place, the
    time or the action.
    """
    return _written(_paraphrases(split), split, language)


def qa(split: Split, language: str) -> list[SpanExample]:
    """Clozes on short contexts; see `questions`."""
    lexicon = _lexicon(language)
    written = [questions.write(lexicon, question) for question in _questions(split)]
    return [
        SpanExample(f"{split}-{language}-{number}", asked, context, (answer,))
        for number, (asked, context, answer) in enumerate(written)
    ]


def passages(split: Split, language: str) -> list[tuple[str, str, list[str], int]]:
    """The questions of `qa` to be found rather than answered: id, question, sentences of the
    context, and which of them has the answer. 60 of dev and test."""
    lexicon = _lexicon(language)
    found = _questions(split)
    return [
        (
            f"{split}-{number}",
            questions.ask(lexicon, question),
            questions.sentences(lexicon, question),
            question.about,
        )
        for number, question in enumerate(found if split == "train" else found[:60])
    ]


def mentions(split: Split, language: str) -> list[tuple[str, tuple[str, int, int], str]]:
    """Mentions of persons and places: id, sentence with the mention's first and last + 1 character,
    entity; 3000 of train, else 120."""
    lexicon = _lexicon(language)
    return [
        (f"{split}-{language}-{number}", linked.mention(lexicon, scene, order, place), entity)
        for number, (scene, order, place, entity) in enumerate(_mentions(split))
    ]


def entities(split: Split) -> list[tuple[str, str]]:
    """Ids and descriptions of all entities, each in one language; see `entities.py`."""
    return linked.entities(_known(split, ("train", "dev", "test")))


def causes(split: Split, language: str) -> list[ChoiceExample]:
    """Two-choice causes and effects; see `causes.py`. `question` is `cause` or `effect`."""
    lexicon = _lexicon(language)
    return [
        ChoiceExample(
            id=f"{split}-{language}-{number}",
            context=_line(lexicon, *row.premise),
            question=row.asked,
            choices=tuple(_line(lexicon, *choice) for choice in row.choices),
            label=row.label,
        )
        for number, row in enumerate(_causes(split))
    ]


def parallel(split: Split, language: str) -> list[ParallelExample]:
    """Sentences with their English translation: text to pretrain on (`train`), or to search in."""
    foreign, english = _lexicon(language, LANGUAGES[1:]), load("en")
    seed = f"parallel {split} {language}" if split == "train" else f"parallel {split}"
    draw = Sampler(_known(split, PARALLEL_SIZES), seed)
    return [
        ParallelExample(
            id=f"{split}-{language}-{number}",
            foreign=_line(foreign, scene, _order(draw)),
            english=_line(english, scene, _order(draw)),
        )
        for number, scene in enumerate(distinct(draw.any, PARALLEL_SIZES[split]))
    ]


def comparable(split: Split, language: str) -> tuple[list[MiningExample], list[Candidate]]:
    """Two corpora, of which half of each side is translated on the other, in no order."""
    foreign, english = _lexicon(language, LANGUAGES[1:]), load("en")
    draw = Sampler(_known(split, ("dev", "test")), f"comparable {split}")
    scenes = distinct(draw.any, 300)
    here, there = scenes[:200], scenes[100:]
    draw.rng.shuffle(here)
    draw.rng.shuffle(there)
    ids = {scene: f"en-{number:06}" for number, scene in enumerate(there, 1)}
    rows = [
        MiningExample(
            id=f"{language}-{number:06}",
            foreign=_line(foreign, scene, _order(draw)),
            partners=(ids[scene],) if scene in ids else (),
        )
        for number, scene in enumerate(here, 1)
    ]
    return rows, [Candidate(ids[scene], _line(english, scene, _order(draw))) for scene in there]


def digest() -> str:
    """The data's identity: sha256 over the names and bytes of this package's sources."""
    here = Path(__file__).parent
    total = hashlib.sha256()
    for path in sorted([*here.glob("*.py"), *here.glob("lexicon/*.json")]):
        total.update(f"{path.relative_to(here).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _written(
    pairs: list[tuple[str, Ordered, Ordered]], split: Split, language: str
) -> list[PairExample]:
    lexicon = _lexicon(language)
    return [
        PairExample(
            id=f"{split}-{language}-{number}",
            first=_line(lexicon, *first),
            second=_line(lexicon, *second),
            label=label,
        )
        for number, (label, first, second) in enumerate(pairs)
    ]


@cache
def _pairs(split: Split) -> list[tuple[str, Ordered, Ordered]]:
    """Label, premise and hypothesis, the same in every language."""
    draw = Sampler(_known(split, SIZES), f"nli {split}")
    rows = []
    for label in inference.RULES:
        pairs = distinct(partial(inference.pair, draw, label), SIZES[split] // len(inference.RULES))
        rows += [(label, (one, _order(draw)), (two, _order(draw))) for one, two in pairs]
    draw.rng.shuffle(rows)
    return rows


@cache
def _paraphrases(split: Split) -> list[tuple[str, Ordered, Ordered]]:
    """Label and two scenes, the same in every language."""
    draw = Sampler(_known(split, ("train", "dev", "test")), f"paraphrases {split}")
    rows = []
    for number, scene in enumerate(distinct(draw.full, SIZES[split])):
        order = _order(draw)
        if number % 2:
            rows.append(("1", (scene, order), (scene, 1 - order)))
        else:
            rows.append(("0", (scene, order), (inference.altered(draw, scene), _order(draw))))
    draw.rng.shuffle(rows)
    return rows


@cache
def _questions(split: Split) -> list[questions.Question]:
    """The questions, the same in every language."""
    draw = Sampler(_known(split, ("train", "dev", "test")), f"qa {split}")
    return distinct(partial(questions.draw_question, draw), SIZES[split])


@cache
def _mentions(split: Split) -> list[tuple[Scene, int, bool, str]]:
    """Scenes, word orders, whether the place is meant, and the entity."""
    draw = Sampler(_known(split, ("train", "dev", "test")), f"mentions {split}")
    rows = []
    for number, scene in enumerate(distinct(draw.full, 3000 if split == "train" else 120)):
        entity = scene.place if number % 2 else scene.person
        assert entity is not None  # full scenes have a place
        rows.append((scene, _order(draw), bool(number % 2), entity))
    return rows


@cache
def _causes(split: Split) -> list[chains.Cause]:
    """Premises and choices, the same in every language."""
    draw = Sampler(_known(split, ("train", "dev", "test")), f"causes {split}")
    return distinct(partial(chains.draw_cause, draw), SIZES[split])


@cache
def _scenes(task: str, split: Split) -> list[Ordered]:
    """The scenes of a tagging task, the same in every language."""
    draw = Sampler(_known(split, ("train", "dev", "test")), f"{task} {split}")
    return [(scene, _order(draw)) for scene in distinct(draw.any, SIZES[split])]


def _sentences(task: str, split: Split, language: str) -> list[Phrase]:
    lexicon = _lexicon(language)
    return [tokens(lexicon, scene, order) for scene, order in _scenes(task, split)]


def _line(lexicon: Lexicon, scene: Scene, order: int) -> str:
    return text(tokens(lexicon, scene, order), lexicon.separator)


def _order(draw: Sampler) -> int:
    return draw.rng.randrange(2)


def _lexicon(language: str, known: Iterable[str] = LANGUAGES) -> Lexicon:
    if language not in known:
        raise UnknownNameError("language of the embedded suite", language, known)
    return load(language)


def _known(split: Split, known: Iterable[str]) -> Split:
    if split not in known:
        raise UnknownNameError("split of the embedded suite", split, known)
    return split
