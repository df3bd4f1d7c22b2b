"""Checking: what is proposed for a manifest and its data, and pictures of the cohort, without a person in sight."""
