"""The network: one, trained and sampled. It knows no diffusion."""
