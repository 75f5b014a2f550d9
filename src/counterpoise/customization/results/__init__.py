"""What a lab run found: its rows, and the rates, changes, curves, gates and notes that follow from them."""
