"""The exceptions of `transfer`.

```
TransferError           a person can put it right; the message says how
├── MethodError         a method and a model do not go together
├── AdapterError        a directory holds no adapter, or its base is gone
└── DivergedError       the loss is no longer a number
```
"""

from __future__ import annotations


class TransferError(Exception):
    """Base of every error of this package that a person can put right."""


class MethodError(TransferError):
    """A method and a model do not go together."""


class AdapterError(TransferError):
    """A directory holds no adapter, or its base is gone."""


class DivergedError(TransferError):
    """The loss is no longer a number."""
