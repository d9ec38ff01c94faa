"""Methods that train a network towards features that are alike in both domains."""
