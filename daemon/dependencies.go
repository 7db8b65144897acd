package daemon

import (
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// dependencies checks that the sources whose rows other sources read are there,
// and that none of them waits for itself. nodes are the sources in the file.
func (s *Settings) dependencies(nodes map[string]config.Node) (problems problem.List) {
	reads := map[string][]string{}
	for _, source := range s.Sources {
		of, ok := source.Config.(connectors.Dependent)
		if !ok {
			continue
		}
		node := nodes[source.Name]
		for _, name := range of.Sources() {
			if _, there := nodes[name]; there {
				reads[source.Name] = append(reads[source.Name], name)
				continue
			}
			p := config.Problem(node, keyOfText(node, name), problem.Invalid, "there is no source %q", name)
			if near, ok := config.Nearest(name, sortedKeys(nodes)); ok {
				p.WithHint("did you mean %q?", near)
			} else {
				p.WithHint("add it under sources:")
			}
			problems = append(problems, p)
		}
	}
	told := map[string]bool{}
	for _, name := range sortedKeys(reads) {
		circle := circleFrom(reads, name)
		if circle == nil || told[name] {
			continue
		}
		for _, member := range circle {
			told[member] = true
		}
		node := nodes[name]
		problems = append(problems, config.Problem(node, keyOfText(node, circle[1]), problem.Invalid,
			"the sources read each other's rows: %s", strings.Join(circle, " → ")).WithHint("let one of them be read by itself"))
	}
	return problems
}

// lentNothing refuses the sources of callers that would read rows of others.
func lentNothing(node config.Node, cfg connectors.Config) (problems problem.List) {
	if of, ok := cfg.(connectors.Dependent); ok {
		for _, name := range of.Sources() {
			problems = append(problems, config.Problem(node, keyOfText(node, name), problem.Invalid, "rows of another source are only read by sources in pictifyd.yaml").
				WithSlug("kind_refused"))
		}
	}
	return problems
}

// keyOfText is the key of node whose value is text.
func keyOfText(node config.Node, text string) string {
	for _, key := range node.Keys() {
		if value, ok := node.Scalar(key); ok && value == text {
			return key
		}
	}
	return ""
}

// circleFrom is a way from name back to it, with both ends; nil where there is none.
func circleFrom(reads map[string][]string, name string) []string {
	seen := map[string]bool{}
	var walk func(path []string) []string
	walk = func(path []string) []string {
		for _, next := range reads[path[len(path)-1]] {
			way := append(slices.Clone(path), next)
			if next == name {
				return way
			}
			if seen[next] {
				continue
			}
			seen[next] = true
			if circle := walk(way); circle != nil {
				return circle
			}
		}
		return nil
	}
	return walk([]string{name})
}
