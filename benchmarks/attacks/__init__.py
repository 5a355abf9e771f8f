"""Wrong inputs drawn from a grammar, each with a verdict of what the project does with it."""
