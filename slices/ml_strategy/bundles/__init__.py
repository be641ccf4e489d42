"""A trained model as plain files, and back."""
