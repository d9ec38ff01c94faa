"""Did it help? Verdicts and their intervals."""
