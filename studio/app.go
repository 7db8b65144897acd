//go:build !nostudio

package studio

import "embed"

// App is the application, as `npm run build` in studio/app made it. It is empty
// where pictifyd was built with the tag nostudio.
//
//go:embed dist
var App embed.FS
