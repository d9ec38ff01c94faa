"""Methods that map features of both domains into a common space."""
