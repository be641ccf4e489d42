"""What is going on in bars: the risk of holdings, how symbols move together, what stands out."""
