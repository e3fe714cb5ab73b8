"""Training a denoiser: recipes, the loop, and runs that can be stopped, watched and resumed."""
