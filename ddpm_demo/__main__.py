"""`python -m ddpm_demo` is the same as the command `ddpm-demo`."""

from ddpm_demo.commands.parser import main

if __name__ == "__main__":
    raise SystemExit(main())
