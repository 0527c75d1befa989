"""Mail: addresses, letters, and the servers that take them and know who has a mailbox."""
