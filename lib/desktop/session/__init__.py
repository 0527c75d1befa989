"""Running machines with their owners: the record, and the keeper that looks after each."""
