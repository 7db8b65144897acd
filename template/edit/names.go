package edit

import (
	"regexp"
	"slices"

	"github.com/pictifyd/pictifyd/expr"
)

// tokenName is what tokens, themes and sizes are called.
var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func equal(a, b []string) bool { return slices.Equal(a, b) }

func nearest(name string, known []string) string { return expr.Nearest(name, known) }
