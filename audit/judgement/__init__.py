"""From predictions to findings: measures, inference, policy. Never needs torch."""
