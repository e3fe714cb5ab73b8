"""`ddpm-demo claims`: the specification's statements, checked."""

import argparse
import dataclasses
import json

SUMMARY = "check the specification's statements against this code"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `ddpm-demo claims`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run_claims(arguments: argparse.Namespace) -> int:
    """`ddpm-demo claims`: every statement, the truth beside it, and the verdict."""
    from ddpm_demo.explaining.claims import check_claims

    claims = list(check_claims())
    if arguments.json:
        print(json.dumps({"claims": [dataclasses.asdict(claim) for claim in claims]}))
        return 0
    for claim in claims:
        verdict = "holds" if claim.holds else "DOES NOT HOLD"
        print(f"{verdict:>13}  {claim.statement}: said {claim.claimed}; {claim.basis} {claim.truth} ({claim.source})")
    return 0
