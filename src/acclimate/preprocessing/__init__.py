"""Preprocessing and domains: fitted on the source, on both domains, or on each by itself."""
