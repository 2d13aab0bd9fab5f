"""Credit: what members did in trade and under supervision, counted by month and kind, and never judged here.

Law: no score is in the state, and no contract reads a fact; readers compute one by a formula that a ballot adopted.
"""
