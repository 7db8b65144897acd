// Package wire is what the providers over HTTP share: how long an endpoint may be
// silent and how much it may say, what its refusals mean, and that the key of a
// model stands in no error.
package wire
