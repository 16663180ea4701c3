"""Keeping what arrives: each kind of arrival put where it belongs, inside one transaction."""
