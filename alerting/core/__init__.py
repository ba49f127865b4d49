"""Values in, values out, `now` a parameter: incidents, groups, notices, health, explanations."""
