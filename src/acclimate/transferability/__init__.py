"""Is a source any good for this target?"""
