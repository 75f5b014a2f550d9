"""Structures drawn at random: shapes of graphs, and the rules or equations that fill them.

:mod:`~counterpoise.counterfactual.suite.render` puts them into words,
:mod:`~counterpoise.counterfactual.suite.generate` makes cases.
"""
