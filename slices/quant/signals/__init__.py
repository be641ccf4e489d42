"""The strategy catalogue: small pure functions from panels to signals in [-1, 1].

What holds for each of them: a signal is 0 until the symbol has enough bars of its own, and windows
run over these. On a session without a bar nothing is decided and the signal stays what it was; a
symbol without a bar for more than `symbols.ABSENT_SESSIONS` is taken as gone, and its signal is 0
until it is back. A tie keeps the state before it. Nothing looks ahead: cutting a panel off later
changes no bit of the rows before.
"""
