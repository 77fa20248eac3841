"""Live output: where frames go as sound comes in, and when."""
