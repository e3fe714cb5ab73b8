"""The door that hosts look for: the page as `demo`, launched when this is run, with the options of `ddpm-demo app`."""

import sys

from ddpm_demo.commands.app import build_page, serve_page
from ddpm_demo.commands.parser import build_parser, one_sentence
from ddpm_demo.machine.freed_memory import keep_freed_memory

keep_freed_memory()
arguments = build_parser().parse_args(["app", *(sys.argv[1:] if __name__ == "__main__" else ["--quiet"])])
with one_sentence():
    demo = build_page(arguments)
    if __name__ == "__main__":
        serve_page(demo, arguments)
