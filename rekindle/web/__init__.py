"""``rekindle serve``: the journal in a browser, read only. Needs the extra ``web``; nothing else imports this."""
