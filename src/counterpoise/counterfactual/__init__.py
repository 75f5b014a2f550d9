"""Diagnose: counterfactual reasoning taken apart into stages and measured one by one."""
