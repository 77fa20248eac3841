"""``python -m said_model``: the same as the command ``said``."""

from blendvoca.internal.own_path import leave_working_folder_out
from said_model.cli import main

if __name__ == "__main__":
    leave_working_folder_out()
    main(prog_name="said")
