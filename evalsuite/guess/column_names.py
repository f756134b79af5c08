"""Usual names of columns, in small letters, by what the columns hold.

>>> "category" in LABELS, "locale" in LANGUAGES
(True, True)
"""

from __future__ import annotations

TEXTS = (
    *("text", "sentence", "content", "message", "utterance", "review", "body", "tweet", "comment"),
    *("title", "headline", "query", "input", "document"),
)
PAIRS = (
    *(("first", "second"), ("premise", "hypothesis"), ("sentence1", "sentence2")),
    *(("sentence_1", "sentence_2"), ("text1", "text2"), ("text_a", "text_b")),
    *(("question1", "question2"), ("s1", "s2"), ("a", "b"), ("query", "passage")),
)
LABELS = (
    *("label", "labels", "category", "class", "intent", "sentiment", "topic", "target", "gold"),
    *("tag", "stance", "emotion", "answer", "output", "y"),
)
# A column with one of these names may have several labels in a field.
SEVERAL = (*("labels", "tags", "categories", "classes", "topics", "intents", "emotions", "genres"),)
SCORES = ("score", "similarity", "similarity_score", "rating", "value")
# What such a column says of each row has to be known.
LANGUAGES = ("language", "lang", "locale", "lng", "langue", "sprache", "idioma")
SPLITS = ("split", "partition")
# Folds are numbers too, and sets may be of anything.
ALSO_SPLITS = ("fold", "set", "subset")
# Values such as `it` and `hr` are of labels, countries or departments there.
NO_LANGUAGES = (
    *LABELS,
    *("country", "nation", "region", "state", "province", "market", "site", "place", "location"),
    *("department", "team", "unit", "office", "division", "group", "source", "genre", "domain"),
)
EMPTY = ("", "unnamed: 0")  # of the numbers of rows, which pandas writes first
# Names of the first line of a table, whatever the values below.
HEADS = frozenset(
    [
        *("text", "sentence", "content", "message", "utterance", "review", "body", "tweet"),
        *("comment", "label", "labels", "category", "class", "intent", "sentiment", "topic"),
        *("target", "tag", "id", "idx", "index", "guid", "premise", "hypothesis", "sentence1"),
        *("sentence2", "first", "second", "question", "question1", "question2", "answer"),
        *("context", "lang", "language", "split", "score", "similarity"),
    ]
)
