package template

import "time"

// A Version is one published state of a template. Versions are immutable.
type Version struct {
	Name      string
	Number    int64
	Digest    string            // SHA-256 of Source and the digests of Assets, hex
	Source    []byte            // the HTML document
	Assets    map[string]string // path ("assets/shoe.jpg") to digest in the assets library
	Author    string            // "file" when it came through the folder
	CreatedAt time.Time
}
