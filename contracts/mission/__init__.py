"""Missions: goals with indicators and targets, the instruments and actors that serve them, reports and evaluations.

Law: what a mission promised stays on record; a later version adds to it and erases nothing.
"""
