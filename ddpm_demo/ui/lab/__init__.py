"""The lab: the page in one file, without a server; made of the page's own modules."""
