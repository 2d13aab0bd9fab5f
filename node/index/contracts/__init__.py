"""Queries of the SQL index that are no plain lists, a module for each contract."""
