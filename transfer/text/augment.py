"""Training rows as other languages would have them: without capitals, or with words translated.

>>> change = prepare(Augmentation(uncased=1.0), DataSource("embedded"), seed=1)
>>> change([TagExample("1", ("Anna", "sleeps"), ("PROPN", "VERB"))])[0].words
('anna', 'sleeps')
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from evalsuite.errors import DataError
from evalsuite.task import (
    ChoiceExample,
    DataSource,
    Example,
    MatchExample,
    SpanExample,
    TagExample,
    TextExample,
)
from transfer.text import word_translations

_WORDS = 0.9  # of those that have a translation are translated (as in CoSDA-ML)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Shares of training rows that are read otherwise than they stand.

    Attributes:
        uncased: in small letters, so that what is learnt holds in scripts without capitals too
            (Mayhew et al. 2019).
        code_switch: with words translated into a language drawn for the row (CoSDA-ML, Qin et al.
            2020, which draws one for each word), by a dictionary read off the source's parallel
            text. Labels are English's own; no row of another language is used.
    """

    uncased: float = 0.0
    code_switch: float = 0.0


Change = Callable[[Sequence[Example]], list[Example]]


def prepare(
    how: Augmentation,
    source: DataSource,
    seed: int,
    progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Change:
    """What gives a task's examples, in order, those drawn by `seed` changed.

    The dictionary is read here, once for all tasks.

    Raises:
        DataError: words are to be translated and the source has no parallel text, or no word
            of it has a translation.
    """
    words = word_translations.build(source, progress=progress) if how.code_switch > 0 else {}
    if how.code_switch > 0 and not words:
        raise DataError(
            "code_switch: no words to translate: the parallel text has too few lines, or only "
            "languages that are written without spaces; add lines, or set code_switch: 0"
        )
    languages = sorted(words)
    cased = {language: has_case(words[language]) for language in languages}

    def change(examples: Sequence[Example]) -> list[Example]:
        rng = random.Random(seed)
        rows = [lowered(example) if rng.random() < how.uncased else example for example in examples]
        rng = random.Random(f"code switch {seed}")
        for i, example in enumerate(rows):
            if rng.random() < how.code_switch:
                language = rng.choice(languages)
                rows[i] = switched(example, words[language], cased[language], rng)
        return rows

    return change


def lowered(example: Example) -> Example:
    """The same in small letters; answers to questions stay where they are."""
    if isinstance(example, SpanExample) and len(example.context.lower()) == len(example.context):
        answers = tuple(replace(answer, text=answer.text.lower()) for answer in example.answers)
        question, context = example.question.lower(), example.context.lower()
        return replace(example, question=question, context=context, answers=answers)
    return example if isinstance(example, SpanExample) else _mapped(example, str.lower)


def switched(
    example: Example, words: Mapping[str, str], cased: bool, rng: random.Random
) -> Example:
    """Most words that have a translation translated; one that begins with a capital keeps it.

    Where the language's script has no capitals, all other words lose theirs. Of a question and its
    context only the question is translated, since answers are the context's own characters.
    """

    def one(word: str) -> str:
        before, core, after = word_translations.bare(word)
        translation = words.get(core.lower())
        if translation is None or rng.random() >= _WORDS:
            return word if cased else word.lower()
        if core[0].isupper():
            translation = translation[0].title() + translation[1:]
        return before + translation + after

    return _mapped(example, one)


def has_case(words: Mapping[str, str]) -> bool:
    """Whether most translations are in a script whose words can begin with a capital.

    Georgian's cannot: it has capitals for whole words alone.
    """
    with_case = sum(word.title() != word for word in words.values())
    return 2 * with_case > len(words)


def _mapped(example: Example, change: Callable[[str], str]) -> Example:
    """Every word changed, tags kept; of a question and its context the question alone."""
    if isinstance(example, TagExample):
        return replace(example, words=tuple(change(word) for word in example.words))

    def line(text: str) -> str:
        return re.sub(r"\S+", lambda word: change(word[0]), text)

    if isinstance(example, TextExample):
        second = None if example.second is None else line(example.second)
        return replace(example, first=line(example.first), second=second)
    if isinstance(example, SpanExample):
        return replace(example, question=line(example.question))
    if isinstance(example, MatchExample):
        return replace(example, query=line(example.query), passage=line(example.passage))
    if isinstance(example, ChoiceExample):
        context, question = line(example.context), line(example.question)
        choices = tuple(line(choice) for choice in example.choices)
        return replace(example, context=context, question=question, choices=choices)
    return example
