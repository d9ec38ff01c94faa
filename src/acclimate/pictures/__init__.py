"""What a model makes of a picture: the source pictures nearest to it, and where the model looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from acclimate.importing import on_use

if TYPE_CHECKING:
    from acclimate.pictures.nearest_pictures import nearest
    from acclimate.pictures.occluding import occlusion

__all__ = ["nearest", "occlusion"]

_HOMES = {"nearest": "nearest_pictures", "occlusion": "occluding"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return on_use(f"acclimate.pictures.{_HOMES[name]}", name)
    raise AttributeError(f"module 'acclimate.pictures' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
