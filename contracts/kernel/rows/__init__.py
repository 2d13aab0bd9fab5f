"""How tables of the index are described, and how a contract puts rows into them."""
