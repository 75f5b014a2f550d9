"""Words for generated cases: stories for rules, systems for equations."""

__all__: list[str] = []
