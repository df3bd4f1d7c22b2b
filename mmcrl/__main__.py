"""``python -m mmcrl``: the command line."""

from mmcrl.cli import main

if __name__ == "__main__":
    main()
