"""Cutting vocabularies: kept text is split as before and gets the same outputs."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import Unigram, WordLevel

from compress.errors import TrimError
from compress.trim import pieces, split_report, tokenizer_parts
from compress.trim.config_ids import renumbered
from compress.trim.registry import KINDS, kind_of
from compress.trim.restore import restore
from compress.trim.split_report import SAMPLE, Sample
from compress.trim.trim import RECORD, trim
from evalsuite import tokenization
from evalsuite.agreement import across_vocabularies
from evalsuite.data.embedded import generate as embedded
from evalsuite.errors import ModelError
from evalsuite.inference.checkpoint_config import read_config
from evalsuite.inference.open_model import open_model
from evalsuite.inference.session import Session
from evalsuite.machine import model_size
from evalsuite.registry import TASKS
from evalsuite.task import DataSource, Task

EMBEDDED = DataSource("embedded")
UNIGRAM = KINDS.get("unigram")


def lines(code: str) -> list[str]:
    rows = list(embedded.parallel("train", "de" if code == "en" else code))
    return [row.english if code == "en" else row.foreign for row in rows]


def texts(*codes: str) -> dict[str, list[str]]:
    return {code: lines(code) for code in codes}


def rows(task: Task, *codes: str) -> dict[str, Any]:
    return {code: task.load(EMBEDDED, "test", code)[:40] for code in codes}


@pytest.fixture(scope="module")
def trimmed(tiny_nli: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trimmed")
    found = trim(tiny_nli, out, texts("en", "de"), others={"ru": lines("ru")})
    assert found.after < found.before * 0.8
    assert found.languages["de"].percent == found.languages["en"].percent == 100
    assert found.languages["ru"].percent < 60 and found.languages["ru"].kept > 0
    return out


def test_the_card_has_every_language_kept_or_not(trimmed: Path, tiny_nli: Path) -> None:
    record = json.loads((trimmed / RECORD).read_text())["languages"]
    before, after = tokenization.load(tiny_nli), tokenization.load(trimmed)
    for code in ("en", "de", "ru"):
        text = lines(code)
        one, other = (
            [tokenizer.encode(line, add_special_tokens=False) for line in text]
            for tokenizer in (before, after)
        )
        same = sum(a.tokens == b.tokens for a, b in zip(one, other, strict=True))
        found = record[code]["split"]
        if len(text) > SAMPLE:
            assert found["lines"] == SAMPLE and (found["alike"] == SAMPLE) == (same == len(text))
            continue
        assert (found["lines"], found["alike"]) == (len(text), same)
        assert found["tokens"] == [sum(len(e.ids) for e in own) for own in (one, other)]
        assert found["unknown"][1] == sum(e.tokens.count("<unk>") for e in other)
    assert [record[code]["wanted"] for code in ("en", "de", "ru")] == [True, True, False]
    assert record["ru"]["split"]["tokens"][1] > record["ru"]["split"]["tokens"][0]
    rows = [line for line in (trimmed / "README.md").read_text().splitlines() if "| " in line]
    assert [row.split(" | ")[0].strip("| ") for row in rows[2:]] == ["de", "en", "ru"]
    assert [row.split(" | ")[1] for row in rows[2:]] == ["yes", "yes", "no"]
    assert " 100.0 " in rows[2] and f"{record['ru']['split']['lines']}" not in rows[2]


def test_a_sample_is_fair_and_lets_lines_through() -> None:
    seen: Counter[str] = Counter()
    text = [str(number) for number in range(40)]
    sample = Sample(size=10)
    assert list(sample.watch(iter(text))) == text and len(set(sample.lines)) == 10
    short = Sample(size=10)
    assert list(short.watch(text[:4])) == text[:4] == short.lines
    for seed in range(400):
        drawn = Sample(size=10)
        drawn._random = random.Random(seed)
        list(drawn.watch(text))
        seen.update(drawn.lines)
    assert all(60 < seen[line] < 145 for line in text), seen  # 100 each, within five deviations


def test_kept_text_is_split_as_before_and_round_trips(tiny_nli: Path, trimmed: Path) -> None:
    before, after = tokenization.load(tiny_nli), tokenization.load(trimmed)
    old = json.loads((trimmed / RECORD).read_text())["old_ids"]
    for code in ("en", "de"):
        for line in lines(code):
            one, other = before.encode(line), after.encode(line)
            assert one.tokens == other.tokens
            assert [old[id] for id in other.ids] == one.ids
            assert before.decode(one.ids) == after.decode(other.ids)
    pair = after.encode("Eins", "zwei")
    assert [old[id] for id in pair.ids] == before.encode("Eins", "zwei").ids


def test_outputs_are_equal_where_the_pieces_are(tiny_nli: Path, trimmed: Path) -> None:
    task = TASKS.get("xnli")
    first, second = Session(open_model(tiny_nli)), Session(open_model(trimmed))
    found = across_vocabularies.compare(first, second, task.format, rows(task, "en", "de"))
    assert set(found.alike) == {"en", "de"} and min(found.alike.values()) > 95
    assert found.parity.maximum < 1e-5 and found.parity.scale > 0
    assert found.parity.agreement > 97
    lost = across_vocabularies.compare(first, second, task.format, rows(task, "ru"))
    assert lost.alike["ru"] < 50


def test_a_trimmed_checkpoint_opens_in_plain_transformers(trimmed: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(trimmed)
    tokenizer = AutoTokenizer.from_pretrained(trimmed)
    assert model.get_input_embeddings().num_embeddings == len(tokenizer) == model.config.vocab_size
    text = lines("de")[0]
    assert tokenizer(text)["input_ids"] == tokenization.load(trimmed).encode(text).ids
    assert tokenizer.pad_token_id == model.config.pad_token_id
    assert tokenizer.mask_token_id == model.config.vocab_size - 1
    assert not (trimmed / "sentencepiece.bpe.model").exists()


def test_the_tied_output_layer_is_cut_too(tiny_base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForMaskedLM

    trim(tiny_base, tmp_path, texts("en"))
    before = AutoModelForMaskedLM.from_pretrained(tiny_base).eval()
    after = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    old = json.loads((tmp_path / RECORD).read_text())["old_ids"]
    import torch

    ids = torch.tensor([tokenization.load(tmp_path).encode(lines("en")[3]).ids])
    with torch.inference_mode():
        small = after(ids).logits
        whole = before(torch.tensor(old)[ids]).logits
    assert np.abs((whole[..., old] - small).numpy()).max() < 1e-5


def test_restoring_gives_the_original_back(tiny_nli: Path, trimmed: Path, tmp_path: Path) -> None:
    restore(trimmed, tiny_nli, tmp_path)
    assert model_size.safetensors_header(
        tmp_path / "model.safetensors"
    ) == model_size.safetensors_header(tiny_nli / "model.safetensors")
    from safetensors.numpy import load_file

    one, other = (load_file(d / "model.safetensors") for d in (tiny_nli, tmp_path))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert read_config(tmp_path)["vocab_size"] == read_config(tiny_nli)["vocab_size"]
    assert tokenization.load(tmp_path).get_vocab() == tokenization.load(tiny_nli).get_vocab()


def test_restoring_keeps_what_was_trained_since(
    tiny_nli: Path, trimmed: Path, tmp_path: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    tuned = tmp_path / "tuned"
    tuned.mkdir()
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tuned / name).write_bytes((trimmed / name).read_bytes())
    table = load_file(trimmed / "model.safetensors")
    (name,) = (n for n in table if n.endswith("word_embeddings.weight"))
    table[name] = table[name] + 1
    save_file(table, tuned / "model.safetensors")
    restore(tuned, tiny_nli, tmp_path / "out", trimmed=trimmed)
    old = json.loads((trimmed / RECORD).read_text())["old_ids"]
    found, before = (load_file(d / "model.safetensors")[name] for d in (tmp_path / "out", tiny_nli))
    moved = np.abs(found - before).max(1) > 0.5
    assert set(np.flatnonzero(moved)) == set(old)
    with pytest.raises(TrimError, match=r"tuned has no trim\.json; trimmed: give the folder that"):
        restore(tuned, tiny_nli, tmp_path / "no")
    pieces = f"{read_config(tiny_nli)['vocab_size']:,}"
    counts = rf"{pieces} pieces, and .* is of a model with {len(old):,}; give as"
    with pytest.raises(TrimError, match=counts):
        restore(tiny_nli, tiny_nli, tmp_path / "no", trimmed=trimmed)


@given(
    st.dictionaries(
        st.sampled_from(["de", "sw"]),
        st.dictionaries(st.integers(0, 30), st.integers(1, 50), min_size=1),
        min_size=1,
    ),
    st.floats(0.05, 1),
)
def test_coverage_is_reached_with_as_few_pieces_as_can_be(
    raw: dict[str, dict[int, int]], coverage: float
) -> None:
    counts = {code: Counter(own) for code, own in raw.items()}
    for own in counts.values():
        kept = pieces.choose({"x": own}, coverage=coverage)
        covered = sum(own[id] for id in kept)
        assert covered >= coverage * own.total() - 1e-9
        assert covered - min(own[id] for id in kept) < coverage * own.total()
    assert pieces.choose(counts) == {id for own in counts.values() for id in own}
    assert pieces.choose(counts, min_count=51) == set()
    for most in (0, 1, 7, 100):
        few = pieces.choose(counts, coverage=coverage, most=most)
        assert len(few) == min(most, len(pieces.choose(counts, coverage=coverage)))


def test_with_few_pieces_every_language_keeps_its_most_frequent() -> None:
    counts = {"de": Counter({1: 90, 2: 9, 3: 1}), "sw": Counter({4: 9, 5: 1})}
    assert pieces.choose(counts, most=2) == {1, 4}  # the rest is a tenth of either
    assert pieces.choose(counts, most=4) == {1, 4, 2, 5}


def unigram(count: int, seed: int) -> Tokenizer:
    """A random unigram model over three letters, in XLM-R's layout."""
    rng = random.Random(seed)
    made = {"a", "b", "c", "▁"}
    while len(made) < count:
        made.add("▁" * rng.randint(0, 1) + "".join(rng.choices("abcd", k=rng.randint(2, 4))))
    scored = [(piece, -rng.uniform(1, 40)) for piece in sorted(made)]  # no piece for d alone
    specials = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return Tokenizer(Unigram([*specials, *scored], unk_id=3))


@given(st.integers(0, 10_000), st.lists(st.text("abcd ", min_size=1, max_size=12), min_size=1))
@example(3232, ["bcaaa"])  # "a aa" and "aa a" differ in the last digit of a score
def test_text_whose_pieces_are_kept_is_split_as_before(seed: int, counted: list[str]) -> None:
    """Characters the vocabulary does not know among them: their price is kept too.

    Both are read from text, as from `tokenizer.json`: reading rounds the last digit of a score.
    """
    text = unigram(40, seed).to_str()
    tokenizer, tree = Tokenizer.from_str(text), json.loads(text)
    own, characters = pieces.count(tokenizer, counted)
    keep = pieces.choose({"x": own}) | pieces.always(UNIGRAM, tree, pieces.scripts(characters))
    small, old = tokenizer_parts.cut(UNIGRAM, tree, keep)
    after = Tokenizer.from_str(json.dumps(small))
    for line in counted:
        assert after.encode(line).tokens == tokenizer.encode(line).tokens
        assert [old[id] for id in after.encode(line).ids] == tokenizer.encode(line).ids


def test_single_characters_of_a_kept_script_stay(tiny_nli: Path) -> None:
    tree = json.loads((tiny_nli / "tokenizer.json").read_text())
    named = [piece for piece, _ in tree["model"]["vocab"]]

    def kept(*written_in: str) -> set[str]:
        ids = pieces.always(UNIGRAM, tree, set(written_in))
        return {named[id].removeprefix("▁") for id in ids if id < len(named)}  # <mask> is beyond

    latin, both = kept("LATIN"), kept("LATIN", "CYRILLIC")
    assert {"e", "z", "."} <= latin and "ж" not in latin and "ж" in both
    assert pieces.scripts(Counter("ein Haus, ж" * 10 + "e" * 2000)) == {"LATIN"}


def test_ids_outside_the_vocabulary_and_both_kinds_of_processor_follow() -> None:
    """XLM-R's own file: <mask> is an added token, the processor RoBERTa's."""
    tree = json.loads(unigram(20, 1).to_str())
    size = len(tree["model"]["vocab"])
    tree["added_tokens"] = [
        {"id": id, "content": content, "special": True, "single_word": False, "lstrip": False,
         "rstrip": False, "normalized": False}
        for id, content in ((1, "<pad>"), (size, "<mask>"))
    ]  # fmt: skip
    tree["post_processor"] = {
        "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
        "add_prefix_space": False,
    }  # fmt: skip
    keep = pieces.always(UNIGRAM, tree, set()) | {size - 1}
    small, old = tokenizer_parts.cut(UNIGRAM, tree, keep)
    assert old[-1] == size and small["added_tokens"][1]["id"] == len(old) - 1
    encoded = Tokenizer.from_str(json.dumps(small)).encode("a<mask>")
    assert encoded.ids[0] == old.index(0) and encoded.ids[-1] == old.index(2)
    assert len(old) - 1 in encoded.ids


def test_special_tokens_may_stand_anywhere() -> None:
    """Templates, configs and the unknown id follow them."""
    pieces_first = [("a", -1.0), ("b", -2.0), ("▁", -3.0)]
    specials = [("<s>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = Tokenizer(Unigram([*pieces_first, *specials], unk_id=5))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["<s>", "$A", "</s>"], special_tokens=[("<s>", 3), ("</s>", 4)]
    )
    tree = json.loads(tokenizer.to_str())
    small, old = tokenizer_parts.cut(UNIGRAM, tree, {1, *range(3, 6)})
    assert old == [1, 3, 4, 5]
    after = Tokenizer.from_str(json.dumps(small))
    assert after.encode("b").ids == [1, 0, 2] and after.encode("z").ids == [1, 3, 2]
    config = {"bos_token_id": 3, "eos_token_id": 4, "pad_token_id": 0}
    assert renumbered(config, old) == {"bos_token_id": 1, "eos_token_id": 2}


def test_what_cannot_be_cut_is_named(tiny_nli: Path, tmp_path: Path) -> None:
    with pytest.raises(TrimError, match=r"is a WordLevel model; .* kinds: bpe, unigram, wordp"):
        kind_of(Tokenizer(WordLevel({"a": 0}, "a")))
    with pytest.raises(TrimError, match="no text of fr"):
        trim(tiny_nli, tmp_path, {"en": ["a line"], "fr": []})
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(TrimError, match="is an adapter; fuse it first"):
        trim(adapter, tmp_path / "out", {"en": ["a"]})
    other = tmp_path / "other"
    other.mkdir()
    for path in filter(Path.is_file, tiny_nli.iterdir()):
        (other / path.name).write_bytes(path.read_bytes())
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"vocab_size": 7}))
    with pytest.raises(ModelError, match=r"word_embeddings.weight \[\d+, 64\] instead of \[7, 64"):
        trim(other, tmp_path / "out", {"en": ["a"]})


def test_an_unknown_piece_is_not_split_as_before() -> None:
    pieces = [("<unk>", 0.0), ("\u2581a", -1.0), ("\u2581", -2.0), ("\u5b57", -3.0)]
    before, after = (
        Tokenizer(Unigram(some, unk_id=0, byte_fallback=False)) for some in (pieces, pieces[:3])
    )
    for tokenizer in (before, after):
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    found = split_report.compare(before, after, ["a \u5b57", "a a"])
    assert (found.alike, found.unknown) == (1, (0, 1))
