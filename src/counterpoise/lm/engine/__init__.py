"""What the local engine is made of: reading prompts, writing a batch token by token, sampling, schemas, scoring."""
