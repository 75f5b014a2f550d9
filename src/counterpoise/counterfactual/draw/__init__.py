"""Structures drawn at random: shapes of graphs, and the rules or equations that fill them.

:mod:`~counterpoise.counterfactual.render` puts them into words,
:mod:`~counterpoise.counterfactual.generate` makes cases.
"""
