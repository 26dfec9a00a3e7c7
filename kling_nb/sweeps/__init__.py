"""Plans of many requests: axes, prompt templates, runs and spending."""
