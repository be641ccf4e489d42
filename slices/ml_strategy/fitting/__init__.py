"""The kinds of model: fitted, asked and explained."""
