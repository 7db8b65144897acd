package config

// WithoutPasswords is withoutPasswords, for tests.
var WithoutPasswords = withoutPasswords
