"""Cases with executed gold, drawn at random: structures, their wording, and the pure function that joins them."""
