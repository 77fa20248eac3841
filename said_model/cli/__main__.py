"""``python -m said_model.cli``: the same as ``said``, for launchers that start modules."""

from said_model.cli import main

if __name__ == "__main__":
    main()
