"""Token ids of text, one Arrow file per shard, which is made once and then memory-mapped.

>>> store = TokenStore(Path(".lingopress/tokens"), tokenizer, max_length=128, held=held)
>>> corpus = TokenCorpus([store.file(shard) for shard in find("text/sw-*.txt.zst")])
>>> len(corpus), corpus.block_rows[:2]
(2481032, array([1024, 1024]))

A file is named by a digest of its text, of the tokenizer, of the longest sequence and of the text
that is kept out, so other stages and other processes find it. It is written aside and renamed, so
it is there whole or not at all. A record batch of the file is a block of 1,024 rows. Whoever reads
a file sets its time of change, once per hour at most, so that unused files can be found.
"""

from __future__ import annotations

import json
import os
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np

from evalsuite.bulk.text_shards import Shard, texts
from evalsuite.data.heldout import HeldOut
from evalsuite.errors import DataError
from transfer.loop.types import Progress

FORMAT = 1  # raise it when the same key would mean another file
BLOCK = 1024  # rows
_NOTED = 3600  # seconds after which a file's time of change is set again


class TokenStore:
    """Makes and finds the token files of shards.

    Args:
        place: directory of the files; any of them may be deleted.
        tokenizer: of `tokenizers`; its truncation is set.
        max_length: longest sequence in tokens, special tokens included; longer rows are cut.
        held: text that is left out.
    """

    def __init__(self, place: Path, tokenizer: Any, max_length: int, held: HeldOut) -> None:
        self.place, self.tokenizer, self.held = place, tokenizer, held
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        settings = [FORMAT, tokenizer.to_str(), max_length, held.digest()]
        self.settings = sha256(json.dumps(settings).encode()).hexdigest()
        self.made: dict[Shard, Path] = {}

    def file(self, shard: Shard, progress: Progress = lambda fraction, text: None) -> Path:
        """The token file of a shard, made where it is missing.

        Raises:
            DataError: the shard cannot be read, or has no text.
        """
        if shard not in self.made:
            self.made[shard] = self._find_or_make(shard, progress)
        return self.made[shard]

    def _find_or_make(self, shard: Shard, progress: Progress) -> Path:
        from filelock import FileLock

        self.place.mkdir(parents=True, exist_ok=True)
        key = sha256(f"{self.settings} {self._digest(shard)}".encode()).hexdigest()[:32]
        path = self.place / f"{key}.arrow"
        if path.is_file():
            _note_use(path)
            return path
        lock = self.place / f"{key}.lock"
        with FileLock(lock):
            if not path.is_file():
                progress(0.0, f"tokenizing {Path(shard.name).name}")
                self._write(shard, path)
        with suppress(OSError):
            lock.unlink()
        return path

    def _digest(self, shard: Shard) -> str:
        """Of a file, which is read only where it is not the one that was read before."""
        if shard.parts:
            return shard.digest()
        status = Path(shard.name).stat()
        state = [shard.name, status.st_size, status.st_mtime_ns, status.st_ino]
        state[0] = str(Path(shard.name).absolute())
        note = self.place / f"{sha256(json.dumps(state).encode()).hexdigest()[:32]}.digest"
        if note.is_file():
            _note_use(note)
            return note.read_text("utf-8")
        found = shard.digest()
        _replace(note, found.encode())
        return found

    def _write(self, shard: Shard, path: Path) -> None:
        import pyarrow

        size = self.tokenizer.get_vocab_size()
        widths = {1 << 8: pyarrow.uint8(), 1 << 16: pyarrow.uint16()}
        ids = pyarrow.list_(
            next((width for most, width in widths.items() if size <= most), pyarrow.uint32())
        )
        schema = pyarrow.schema([("ids", ids)])
        partial, rows = path.with_suffix(".partial"), 0
        with (
            partial.open("wb") as file,
            pyarrow.ipc.new_file(file, schema) as writer,
        ):
            kept = self._kept(shard)
            while block := list(islice(kept, BLOCK)):
                encoded = self.tokenizer.encode_batch_fast(block)
                column = pyarrow.array([item.ids for item in encoded], ids)
                writer.write_batch(pyarrow.record_batch([column], schema))
                rows += len(block)
        if not rows:
            partial.unlink()
            raise DataError(f"{shard.name}: there is no text in it that is not evaluation text")
        partial.replace(path)

    def _kept(self, shard: Shard) -> Iterator[str]:
        return (text for text in texts(shard) if text not in self.held)


def _note_use(path: Path) -> None:
    """Set the file's time of change to now where it is older than an hour."""
    with suppress(OSError):  # a file of somebody else
        if time.time() - path.stat().st_mtime > _NOTED:
            os.utime(path)


def _replace(path: Path, content: bytes) -> None:
    partial = path.with_name(f"{path.name}.{id(content)}.partial")
    partial.write_bytes(content)
    partial.replace(path)


class TokenCorpus:
    """Blocks of rows of several token files, one after the other; a file may be there repeatedly.

    Attributes:
        block_rows: int64 `[blocks]`, rows of each block.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = files
        counts = {path: _block_rows(path) for path in dict.fromkeys(files)}
        self.block_rows = np.concatenate([counts[path] for path in files])
        self._first = [0, *accumulate(len(counts[path]) for path in files)]

    def __len__(self) -> int:
        return int(self.block_rows.sum())

    def read(self, blocks: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The ids of some blocks, one row after the other, and where each row starts.

        Returns:
            ids `[tokens]` and starts int64 `[rows + 1]`; a copy, so that no file stays mapped.
        """
        import pyarrow

        values, lengths = [], []
        for block in blocks:
            number = bisect_right(self._first, block) - 1
            _note_use(self.files[number])
            with pyarrow.memory_map(str(self.files[number])) as mapped:
                column = pyarrow.ipc.open_file(mapped).get_batch(block - self._first[number])[0]
                lengths.append(np.diff(column.offsets.to_numpy()))
                values.append(column.flatten().to_numpy().copy())
                del column
        starts = np.concatenate([[0], np.cumsum(np.concatenate(lengths))]).astype(np.int64)
        return np.concatenate(values), starts


def _block_rows(path: Path) -> np.ndarray:
    import pyarrow

    with pyarrow.memory_map(str(path)) as mapped:
        reader = pyarrow.ipc.open_file(mapped)
        count: int = reader.num_record_batches
        rows = np.full(count, BLOCK, dtype=np.int64)
        rows[-1] = reader.get_batch(count - 1).num_rows
    return rows
