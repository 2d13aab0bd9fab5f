"""The web console: a page for people who would rather look than read, and who want to know what to believe.

Law: it is a light client that serves one person on this machine. It talks to nodes over HTTP only, follows the chain
from the genesis document, and says of everything it shows whether it checked it itself. Nothing of a node is trusted,
no key reaches the browser or a node, and what the browser runs is served from this folder.
"""
