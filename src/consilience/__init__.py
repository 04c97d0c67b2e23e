"""Consilience: do models, and brains, come to see the world alike? Every score comes with its null."""
