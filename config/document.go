package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
)

const (
	fileSuffix    = "_file"
	maxSecretFile = 1 << 20
)

// document is what all nodes of one file share.
type document struct {
	file    string
	options Options
	camel   bool // it is JSON: keys are in camelCase, and no file is named by one
	secrets secrets

	mu sync.Mutex

	files map[string]secretFile // read once, so that a digest and a decoding agree
}

// secretFile is the content of a file of a secret, or why there is none.
type secretFile struct {
	text string
	err  error
}

func (d *document) env(name string) (string, bool) {
	if d.options.Env == nil {
		return "", false
	}
	return d.options.Env(name)
}

// readSecret reads a file without its trailing newline.
func (d *document) readSecret(path string) (string, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.options.Dir, path)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f, ok := d.files[path]
	if !ok {
		f.text, f.err = d.load(path)
		if d.files == nil {
			d.files = map[string]secretFile{}
		}
		d.files[path] = f
		d.secrets.add(f.text)
	}
	return f.text, f.err
}

func (d *document) load(path string) (string, error) {
	if d.options.ReadFile == nil {
		return "", errors.New("files are not read here")
	}
	content, err := d.options.ReadFile(path)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return "", pathErr.Err // the caller names the file as it was written
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case text == "":
		return "", errors.New("it is empty")
	case len(text) > maxSecretFile:
		return "", errors.New("it is larger than 1 MiB")
	}
	return text, nil
}
