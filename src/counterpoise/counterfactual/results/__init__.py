"""From rows to the numbers that a report shows."""
