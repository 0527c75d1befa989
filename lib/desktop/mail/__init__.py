"""Messages to people: addresses, letters, and the server that takes them."""
