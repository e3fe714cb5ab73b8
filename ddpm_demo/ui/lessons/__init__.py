"""Lessons that ask first: their files, the truths that are computed, and their place on the page."""
