//go:build nostudio

package studio

import "embed"

// App is empty: pictifyd was built without the application.
var App embed.FS
