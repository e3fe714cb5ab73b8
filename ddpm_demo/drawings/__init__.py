"""Pictures that people bring: files, finding the digit in them, sets of drawings."""
