"""Translators between thumbwheel and the formats and programs around it."""
