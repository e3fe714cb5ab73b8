"""Sentences that can be said in more than one language; the catalogues stand in `ddpm_demo.ui.words`."""
