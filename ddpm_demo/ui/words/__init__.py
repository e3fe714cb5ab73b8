"""The words and symbols of the page, each explained in a sentence or two."""
