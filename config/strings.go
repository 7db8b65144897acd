package config

// Strings is one text or a list of them: "sku" and [shop, sku] both fit.
type Strings []string
