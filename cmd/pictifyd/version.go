package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

// What a release says of itself (scripts/release.sh). Where they are empty, as in
// go build or go install, they are what Go noted of the source.
var (
	version = "dev"
	commit  = ""
	date    = "" // of the commit
)

type versionCommand struct{}

func (versionCommand) Run(t *terminal) error {
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintln(t.out, versionLine(info))
	return nil
}

// versionLine is the version, with what else tells one build from another.
func versionLine(info *debug.BuildInfo) string {
	name, revision, when, changed := version, commit, date, false
	if info != nil && revision == "" {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.time":
				when = s.Value
			case "vcs.modified":
				changed = s.Value == "true"
			}
		}
		if name == "dev" && strings.HasPrefix(info.Main.Version, "v") { // go install …@v1.2.3
			name = info.Main.Version
		}
	}
	var facts []string
	if revision != "" {
		word := "commit " + revision[:min(12, len(revision))]
		if changed {
			word += " with changes"
		}
		facts = append(facts, word)
	}
	if when != "" {
		facts = append(facts, when)
	}
	facts = append(facts, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return "pictifyd " + name + " (" + strings.Join(facts, ", ") + ")"
}
