// Package config reads pictifyd.yaml: strictly, with every problem at once, and
// each with its line, its column and its path.
//
// It knows YAML, positions, environment variables and files of secrets. It
// refuses to know what a source, a sink or a binding means: each room owns the
// struct that its section is decoded into, with yaml tags, defaults and a
// Validate method, and the daemon composes them.
package config
