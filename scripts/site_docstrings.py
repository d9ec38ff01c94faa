"""Docstrings as classes have them when they run: some are filled in from a template."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any

from griffe import Class, Docstring, Extension

TEMPLATE = re.compile(r"\{\w+\}")


class Filled(Extension):
    """Read the docstring of a class again where the source has a template."""

    def on_class_instance(self, *, cls: Class, **kwargs: Any) -> None:
        """Take the docstring from the imported class."""
        if cls.docstring is None or not TEMPLATE.search(cls.docstring.value):
            return
        made = getattr(importlib.import_module(cls.module.path), cls.name)
        cls.docstring = Docstring(inspect.getdoc(made) or "", parent=cls)
