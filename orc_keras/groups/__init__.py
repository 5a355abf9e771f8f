"""The methods, by which a group of networks learns, and what they consist of."""
