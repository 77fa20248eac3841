"""Speech of the sample and the times of its phones."""
