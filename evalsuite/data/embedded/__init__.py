"""The embedded suite: small tasks in twelve languages, generated here from templates.

>>> from evalsuite.data.embedded.generate import LANGUAGES, nli
>>> LANGUAGES[0]
'en'
>>> len(nli("test", "sw"))
300

What it is: sentences of one scene grammar ("Maria reads the newspaper in Berlin on Mondays.")
over hand-written lexicons of whole inflected phrases, in the formats of XNLI, PAWS-X, UD-POS,
PAN-X, XQuAD and LAReQA (as clozes), XCOPA, Mewsli-X, Tatoeba and BUCC 2018 and in the spirit of
XTREME-R's MultiCheckList (Ruder et al. 2021). Templates, lexicons and generator were written for
this project. It exists so that the main job runs offline on a fresh machine, in minutes, with a
signal that can be learnt.

What it is not: it never stands in for XTREME-R. Its sentences are few, short and regular; a score
on it says that the pipeline works and nothing of how well a model transfers to real text.

Test sentences are translations of one another over all languages, as in XNLI, so that scores
compare. No combination of a person and a verb ("Maria reads ...") is in two splits.

Files: `lexicon/<language>.json` holds the phrases, `phrases.py` reads them, `scenes.py` says what
can happen and in which split, `realise.py` puts a scene into words, `inference.py` pairs scenes
for NLI, `questions.py` asks about them, `causes.py` says what follows from what, `entities.py` what
is said about whom, `generate.py` makes the tasks.
    causes.py: causes and effects: what one person does, and what somebody does before or after
        because of it
    entities.py: mentions of persons and places, and what is said about each: entity linking
    generate.py: the tasks of the embedded suite, as lists of examples
    inference.py: pairs of scenes that stand in a known relation: entailment, neutral or
        contradiction
    phrases.py: read a lexicon: whole inflected phrases of one language, each word with its tags
    questions.py: questions about a few sentences, as clozes: a sentence of the context, a part of
        it left blank
    realise.py: put a scene into the words of a language, and words into a line of text
    scenes.py: what can happen, in no language: scenes of concepts, and the split each belongs to
"""
