"""What kinds of model say where they had not learnt, and how good that was."""
