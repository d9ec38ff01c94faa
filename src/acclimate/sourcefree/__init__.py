"""Methods that adapt a source model with target rows alone: no source row is needed."""
