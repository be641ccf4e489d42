"""The books: orders, fills, accounts, and the one path on which an order is placed."""
