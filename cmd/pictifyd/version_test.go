package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersionTellsBuildsApart(t *testing.T) {
	tail := runtime.Version() + ", " + runtime.GOOS + "/" + runtime.GOARCH + ")"
	source := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-05-04T12:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for want, info := range map[string]*debug.BuildInfo{
		"pictifyd dev (" + tail: nil,
		"pictifyd dev (commit 0123456789ab with changes, 2026-05-04T12:00:00Z, " + tail: source,
		"pictifyd v1.2.3 (" + tail: {Main: debug.Module{Version: "v1.2.3"}},
	} {
		if got := versionLine(info); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
	code, stdout, _ := call("version")
	if code != exitDone || !strings.HasPrefix(stdout, "pictifyd ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("exit code %d: %q", code, stdout)
	}
}
