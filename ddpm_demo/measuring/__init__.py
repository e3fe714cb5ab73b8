"""How good drawn digits are, by the judgement of a classifier."""
