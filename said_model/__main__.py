"""``python -m said_model``: the same as the command ``said``."""

from said_model.cli import main

if __name__ == "__main__":
    main(prog_name="said")
