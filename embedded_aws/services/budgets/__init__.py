"""Budgets: what moto does not implement of them."""
