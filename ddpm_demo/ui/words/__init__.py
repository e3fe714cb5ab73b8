"""The languages of the page, and its technical words, each explained in a sentence or two."""
