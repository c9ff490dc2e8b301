"""``python -m unetpp_lib`` is the command ``unetpp``, so that ``torchrun -m unetpp_lib train`` works."""

from unetpp_lib.cli import main

if __name__ == "__main__":
    main()
