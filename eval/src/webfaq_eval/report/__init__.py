"""Tables, figures and one page from a folder of results."""
