"""What steps train on: arms at equal loss-bearing tokens, and every text of a run, read and checked before training."""
