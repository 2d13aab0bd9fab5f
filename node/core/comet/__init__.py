"""The machine of a node whose blocks CometBFT orders, and what it is made of. Pure."""
