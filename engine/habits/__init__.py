"""At which hours people open and click: what is counted of them, and the hour at which to reach each."""
