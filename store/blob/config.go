package blob

import (
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config says where the bytes are.
type Config struct {
	URL string `yaml:"url"` // "file:data/images": a folder, relative to the configuration's
}

// Default is the folder data/images.
func Default() Config { return Config{URL: "file:data/images"} }

// Validate reports an address that is not that of a folder.
func (c Config) Validate() error {
	if _, err := folderOf(c.URL, ""); err != nil {
		return problem.List{err}
	}
	return nil
}

func folderOf(url, dir string) (string, *problem.Error) {
	path, ok := strings.CutPrefix(url, "file:")
	if !ok {
		return "", problem.New(problem.Invalid, "%q is not the address of a folder", url).
			At("url").WithHint(`write "file:data/images"`)
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		// Of file://host/path only the local host makes sense.
		path = strings.TrimPrefix(rest, "localhost")
		if !strings.HasPrefix(path, "/") {
			return "", problem.New(problem.Invalid, "%q names a host", url).
				At("url").WithHint(`write "file:data/images" or "file:///var/lib/pictifyd/images"`)
		}
	}
	if path == "" || strings.ContainsRune(path, 0) {
		return "", problem.New(problem.Invalid, "%q names no folder", url).At("url")
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path), nil
}
