"""Real money: a broker over its interface, and everything it takes to be allowed to use it."""
