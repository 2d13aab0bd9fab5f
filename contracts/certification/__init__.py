"""Certification: arguments that a project is rational, as trees that anybody can check and work out.

Law: what is computed follows from the argument and from what reviewers accept, never from who asks.
"""
