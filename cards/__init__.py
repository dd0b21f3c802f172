"""Card templates: prose here, every number from a manifest. Installed as `webfaq_domains.cards`."""
