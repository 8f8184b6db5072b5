"""``python -m densernn``: the command line."""

from densernn.cli import main

if __name__ == "__main__":
    main()
