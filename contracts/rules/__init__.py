"""Rules of supervision: shapes, guards and process constraints, evaluated alike by every node.

Law: no evaluator but these modules decides; each is bounded before it runs and gives the same answer everywhere.
"""
