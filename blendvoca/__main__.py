"""``python -m blendvoca``: the same as the command ``blendvoca``."""

from blendvoca.cli import main

if __name__ == "__main__":
    main(prog_name="blendvoca")
