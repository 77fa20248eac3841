"""Noise schedule, guidance, samplers and windows: functions over a denoiser callable, no network."""
