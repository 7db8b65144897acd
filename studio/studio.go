// Package studio is what people see in a browser: the first page, plain HTML,
// CSS and one ES module, without a build. It knows nothing but the HTTP API.
package studio

import "embed"

// Files are the page's files.
//
//go:embed page
var Files embed.FS
