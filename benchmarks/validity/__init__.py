"""How often the judgement is right: coverage, false claims and power, by simulation."""
