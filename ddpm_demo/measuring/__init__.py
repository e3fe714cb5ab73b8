"""How good drawn digits are, as judged by a classifier."""
