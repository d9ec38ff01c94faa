"""Methods that set a network against a discriminator between the domains."""
