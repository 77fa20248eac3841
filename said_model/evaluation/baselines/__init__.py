"""Systems to compare with: a regression from the spectrogram, and the outputs of vertex models."""
