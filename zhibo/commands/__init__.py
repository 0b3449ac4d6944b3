"""One room a command, of its name: what it asks for, and how it is wired."""
