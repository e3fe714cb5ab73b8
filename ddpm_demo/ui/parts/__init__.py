"""What tabs, films and lessons share: the bridge to the browser, readers, digits, plots."""
