"""What ``counterpoise doctor`` looks at before work starts: the installation, and the loss masks of training data."""
