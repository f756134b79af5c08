"""An open model: a checkpoint or a bundle, in whatever runtime it is made for.

>>> model = open_model("int8")
>>> model.predict(["It rains."])
[{'label': 'weather', 'scores': {'weather': 0.981, 'sports': 0.019}}]
>>> model.predict([("A man sleeps.", "Nobody is awake.")])
[{'label': 'neutral', 'scores': {...}}]
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from copy import copy
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalsuite.errors import MalformedRowError

if TYPE_CHECKING:
    import numpy as np

    from evalsuite.inference.answers import Head
    from evalsuite.inference.predictor import Predictor
    from evalsuite.inference.session import Session
    from evalsuite.retrieval.sentence_embedder import SentenceEmbedder

BATCH = 2048  # rows answered at once, sorted by length among each other


class Model:
    """A checkpoint or bundle; its weights are read when it is first used.

    Attributes:
        directory: where it is.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._embedders: dict[Hashable, SentenceEmbedder] = {}

    def __repr__(self) -> str:
        return f"Model({str(self.directory)!r})"

    @cached_property
    def predictor(self) -> Predictor:
        """The model in its runtime: token ids in, arrays out."""
        from evalsuite.inference.open_model import open_model

        return open_model(self.directory)

    @cached_property
    def _head(self) -> Head:
        from evalsuite.inference.answers import head_for

        return head_for(self.directory)

    @cached_property
    def _session(self) -> Session:
        """The model with its tokenizer, which is opened once: XLM-R's takes long."""
        from evalsuite.inference.session import Session

        return Session(self.predictor)

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in the order of the model's outputs; none where it has no head."""
        return self.predictor.labels

    def predict(
        self,
        rows: Iterable[str | Sequence[str]],
        *,
        alone: bool = False,
        language: str | None = None,
    ) -> list[dict[str, Any]]:
        """An answer per row, as `lingopress predict` gives it.

        Args:
            rows: a text, or several: two sentences, a question and a context, a context and its
                choices. A tagger takes words separated by spaces.
            alone: run each row by itself, so that its answer depends on no other row.
            language: of all rows, such as `"de"`: a cascade may have a threshold of it.

        Raises:
            ModelError: the model has no head, or is no cascade and a language is given.
            MalformedRowError: a row has another number of texts than the model needs, or a text
                is given where rows are due.
        """
        from evalsuite.inference.predictor import in_language

        _refuse_text(rows, "rows")
        head, session = self._head, copy(self._session)
        session.max_tokens = 1 if alone else None
        in_language(self.predictor, language)
        found: list[dict[str, Any]] = []
        numbered = enumerate(rows, 1)
        while part := list(islice(numbered, BATCH)):
            examples = []
            for number, row in part:
                texts = [row] if isinstance(row, str) else [*row]
                if len(texts) < head.least or len(texts) > (head.most or len(texts)):
                    most = "or more" if head.most is None else f"to {head.most}"
                    needs = str(head.least) if head.most == head.least else f"{head.least} {most}"
                    problem = f"{len(texts)} text(s); this model needs {needs}"
                    raise MalformedRowError("input", number, problem)
                examples.append(head.example(texts))
            found.extend(head.answers(session, examples))
        return found

    def embed(
        self,
        texts: Iterable[str],
        *,
        prefix: str | None = None,
        prompt: str | None = None,
        dimensions: int | None = None,
        layer: int | None = None,
    ) -> np.ndarray:
        """A vector of length 1 per text, `[texts, width]`, as `lingopress embed` gives it.

        Args:
            prefix: put before each text, such as `"query: "`; default what the model declares.
            prompt: name of a prefix that the model declares, such as `"passage"`.
            dimensions: keep the first numbers of each vector only, this many.
            layer: whose hidden states are pooled; default the last.

        Raises:
            ModelError: the model gives no hidden states, has no such prompt, or has shorter
                vectors.
            MalformedRowError: a text is given where several are due.
        """
        import numpy as np

        from evalsuite.retrieval.sentence_embedder import SentenceEmbedder

        _refuse_text(texts, "texts")
        made = (prefix, prompt, dimensions, layer)
        if made not in self._embedders:
            self._embedders[made] = SentenceEmbedder(
                self.directory,
                prefix,
                layer,
                prompt=prompt,
                dimensions=dimensions,
                predictor=self.predictor,
            )
        embed, rest = self._embedders[made], iter(texts)
        parts = [np.empty((0, embed.width), dtype=np.float32)]
        while part := list(islice(rest, BATCH)):
            parts.append(embed(part))
        return np.concatenate(parts)


def _refuse_text(given: object, what: str) -> None:
    """A text is a sequence too, of its characters.

    Raises:
        MalformedRowError: a text is given.
    """
    if isinstance(given, str):
        raise MalformedRowError("input", 1, f"a text, where a list of {what} is due; put it in [ ]")


def open_model(model: str | Path, *, workspace: str | Path | None = None) -> Model:
    """Open a model directory, `RECIPE:STAGE` of a run, or `package:NAME/FOLDER`.

    Raises:
        RecipesError: there is no such directory, run or stage.
        ModelError: there is no such package, or no model in it.
    """
    from recipes.execution.find_outputs import find_model

    return Model(find_model(str(model), Path(workspace) if workspace else None))
