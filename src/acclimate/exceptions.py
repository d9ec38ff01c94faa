"""Exceptions and warnings that users meet. A message shows the bad value and the way out."""

from __future__ import annotations


class AcclimateError(Exception):
    """Base of every error that acclimate raises on purpose."""


class InputError(AcclimateError, ValueError):
    """A value that a user passed cannot be used."""


class InputTypeError(InputError, TypeError):
    """A value that a user passed is of a type that cannot be used."""


class DomainTypeError(AcclimateError, TypeError):
    """Something other than a `Domain` was passed as a target."""


class DataNotFoundError(AcclimateError, FileNotFoundError):
    """A data set or file could not be found in any of the places that were tried."""


class IntegrityError(AcclimateError, ValueError):
    """A file is not what it says it is: wrong checksum, truncated, or altered."""


class OutputError(AcclimateError, OSError):
    """A result could not be written. What existed before is still there."""


class MissingExtraError(AcclimateError, ImportError):
    """An optional package is not installed; the message shows the command that installs it."""


class AcclimateWarning(UserWarning):
    """Base of every warning that acclimate gives on purpose."""


class TransferWarning(AcclimateWarning):
    """The set-up is legal, but likely to give a misleading or harmful transfer."""


class RowsWarning(AcclimateWarning):
    """A model file holds rows of the user's."""


class ConvergenceWarning(AcclimateWarning):
    """A solver or a training run stopped before it reached its goal."""
