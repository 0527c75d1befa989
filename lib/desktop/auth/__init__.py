"""Who may come in: one file per way to prove it, and the chain that tries them."""
