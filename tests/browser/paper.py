"""What a browser has printed, read back."""

import io
import unicodedata

from pypdf import PdfReader


def printed_words(pdf):
    """Every piece of text of a PDF, without its ligatures, and its colour, levels from 0 to 1."""
    found = []
    for page in PdfReader(io.BytesIO(pdf)).pages:
        colours = [(0.0,)]  # of the graphics states that are open, PDF 32000-1:2008, 8.4.2: black at first

        def before(operator, operands, *_, colours=colours):
            if operator == b"q":
                colours.append(colours[-1])
            elif operator == b"Q" and len(colours) > 1:
                colours.pop()
            elif operator in (b"g", b"rg"):
                colours[-1] = tuple(float(level) for level in operands)

        def text_of(text, *_, colours=colours):
            if text.strip():
                found.append((unicodedata.normalize("NFKC", text).strip(), colours[-1]))

        page.extract_text(visitor_operand_before=before, visitor_text=text_of)
    return found
