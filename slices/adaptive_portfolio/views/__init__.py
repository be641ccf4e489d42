"""Portfolios from forecasts: views as sure as they have proven to be, traded where that pays."""
