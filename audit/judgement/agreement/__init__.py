"""How often models disagree with their parents, and parents among themselves."""
