"""``python -m blendvoca``: the same as the command ``blendvoca``."""

from blendvoca.cli import main
from blendvoca.internal.own_path import leave_working_folder_out

if __name__ == "__main__":
    leave_working_folder_out()
    main(prog_name="blendvoca")
