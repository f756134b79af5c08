"""The exceptions of `compress`.

```
CompressError           a person can put it right; the message says how
├── FuseError           an adapter and a base do not go together
├── StudentError        no such student can be cut from the teacher
├── TrimError           a vocabulary cannot be cut, or not that way
├── FactorError         word embeddings cannot be factored, or not to that width
├── PruneError          a structure cannot be cut, or not to that size
├── EmbeddingsError     a graph's word embeddings cannot be stored that way
├── CalibrationError    a precision takes calibration text, and there is none
├── ExcludeError        no such part of a model to leave unquantized
├── ExportError         a bundle does not run
├── CascadeError        models that cannot be one cascade
└── GateError           a step lost more than the recipe allows; says how much and where
```
"""

from __future__ import annotations


class CompressError(Exception):
    """Base of every error of this package that a person can put right."""


class FuseError(CompressError):
    """An adapter and a base do not go together."""


class StudentError(CompressError):
    """No such student can be cut from the teacher."""


class TrimError(CompressError):
    """A vocabulary cannot be cut, or not that way."""


class FactorError(CompressError):
    """Word embeddings cannot be factored, or not to that width."""


class PruneError(CompressError):
    """A structure cannot be cut, or not to that size."""


class EmbeddingsError(CompressError):
    """A graph's word embeddings cannot be stored that way."""


class CalibrationError(CompressError):
    """A precision takes calibration text, and there is none."""


class ExcludeError(CompressError):
    """No such part of a model to leave unquantized."""


class ExportError(CompressError):
    """A bundle does not run."""


class CascadeError(CompressError):
    """Models that cannot be one cascade."""


class GateError(CompressError):
    """A step lost more than the recipe allows."""
