"""What an account value shows over time: windows, drawdowns, months, bad times, trades."""
