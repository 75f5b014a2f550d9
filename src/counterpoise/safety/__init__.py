"""Safety: what a completion does, how often, and how far the judge can be trusted."""
