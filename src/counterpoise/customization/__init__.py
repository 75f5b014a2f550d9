"""The customization lab: attack a model by fine-tuning, defend it with data, and measure what is left."""
