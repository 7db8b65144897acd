package file

import (
	"path/filepath"

	"github.com/pictifyd/pictifyd/sink"
)

// Config is a folder's part of the configuration.
type Config struct {
	sink.Common

	// Path of each file: "out/{{ key }}-{{ output }}.{{ ext }}". Up to the first
	// expression it names the folder that nothing leaves.
	Path string `yaml:"path"`
}

// Kind is the file sink.
var Kind = sink.Kind{
	Name:    "file",
	Summary: "one file per picture in a folder",
	Config:  func() sink.Config { return &Config{} },
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) {
		root, path, err := parsePath(c.(*Config).Path)
		if err != nil {
			return nil, err
		}
		if !filepath.IsAbs(root) {
			root = filepath.Join(env.Dir, root)
		}
		return &folder{root: root, path: path, open: env.Bytes}, nil
	},
}

// Validate reports a path that cannot be made, or that is the same for all rows.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	if _, _, err := parsePath(c.Path); err != nil {
		problems = append(problems, err.At("path"))
	}
	return problems.Err()
}

// CheckOutputs implements sink.PerOutput.
func (c *Config) CheckOutputs(outputs []sink.Output) error {
	_, path, err := parsePath(c.Path)
	if err != nil {
		return nil // Validate has said it
	}
	return path.CheckOutputs("path", outputs)
}
