"""Where a keeper runs: every launcher has the same calls, detach is the one for any host."""
