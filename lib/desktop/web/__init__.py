"""The edge: requests in, pages out. Nothing below it knows about HTTP."""
