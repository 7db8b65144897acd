// Package studio is what people see in a browser. The door, login and API
// reference, is plain HTML and CSS; behind it stands the application of studio/app,
// TypeScript whose build is kept in dist, so that Go alone builds pictifyd. It
// knows nothing but the HTTP API.
package studio

import "embed"

// Door are the files that need no session: the field for a key, the reference of
// the API, and what stands in place of an application that was left out.
//
//go:embed door
var Door embed.FS
