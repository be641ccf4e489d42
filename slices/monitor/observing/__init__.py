"""Looking at the machine and at the books: facts that metrics are measured from."""
