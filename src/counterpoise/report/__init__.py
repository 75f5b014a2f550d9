"""From rows to tables, charts, terminal and one self-contained HTML file."""
