"""Are the two domains different, and how?"""
