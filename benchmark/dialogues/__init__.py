"""How a case is held as a conversation; one file is one way."""
