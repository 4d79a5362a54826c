"""Write `triples_en.txt`: the letter triples by which a deciphered reply is told from noise.

Run as `python -m convsafe.data_builders.triples` from a checkout.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from convsafe.data_builders.ciphers import triples
from convsafe.data_builders.core import PROMPTS
from convsafe.taxonomy.files import write_text
from convsafe.taxonomy.tree import read_yaml

MOST = 1_500
OUT = Path(__file__).with_name("triples_en.txt")
_HEAD = (
    "# The most frequent letter triples inside words (_ is a word's edge) of prompts/*.yaml,\n"
    "# most frequent first. Written by: python -m convsafe.data_builders.triples\n"
)


def main() -> None:
    """Count the triples and write the file."""
    counts: Counter[str] = Counter()
    for path in sorted(PROMPTS.glob("*.yaml")):
        for pair in read_yaml(path)["pairs"]:
            counts.update(triples(f"{pair['request']} {pair['twin']}"))
    ordered = sorted(counts, key=lambda triple: (-counts[triple], triple))[:MOST]
    write_text(OUT, _HEAD + "\n".join(triple.replace(" ", "_") for triple in ordered) + "\n")


if __name__ == "__main__":
    main()
