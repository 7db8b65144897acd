// Package overlay shows folders with a few files of their own in them: a
// template as it would be, among the assets that there are.
package overlay

import (
	"bytes"
	"io/fs"
	"path"
	"time"
)

// New is base with files in it, which take the place of those of the same path.
// They can be opened by their paths; folders list what base has.
func New(base fs.FS, files map[string][]byte) fs.FS { return folder{base, files} }

type folder struct {
	base  fs.FS
	files map[string][]byte
}

// Open opens a file.
func (f folder) Open(name string) (fs.File, error) {
	if data, ok := f.files[name]; ok {
		return &file{Reader: bytes.NewReader(data), name: path.Base(name)}, nil
	}
	return f.base.Open(name)
}

// A file is open, and its own description.
type file struct {
	*bytes.Reader
	name string
}

func (f *file) Stat() (fs.FileInfo, error) { return f, nil }
func (f *file) Close() error               { return nil }
func (f *file) Name() string               { return f.name }
func (f *file) Mode() fs.FileMode          { return 0o444 }
func (f *file) ModTime() time.Time         { return time.Time{} }
func (f *file) IsDir() bool                { return false }
func (f *file) Sys() any                   { return nil }
