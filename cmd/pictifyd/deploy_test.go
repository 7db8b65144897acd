package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"

	"github.com/pictifyd/pictifyd/daemon"
)

// deployed are the commands that the files of deploy run pictifyd with.
func deployed(t *testing.T) (all [][]string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile("../../deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, m := range regexp.MustCompile(`(?m)^Exec\w+=/usr/local/bin/pictifyd (.*)$`).FindAllStringSubmatch(read("systemd/pictifyd.service"), -1) {
		all = append(all, strings.Fields(m[1]))
	}
	for _, m := range regexp.MustCompile(`(?m)^CMD \[(.*)\]$`).FindAllStringSubmatch(read("Dockerfile"), -1) {
		all = append(all, strings.Split(strings.ReplaceAll(m[1], `"`, ""), ", "))
	}
	var file struct {
		Services map[string]struct {
			Image   string
			Command []string
		}
	}
	if err := yaml.Unmarshal([]byte(read("compose.scaled.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, s := range file.Services {
		if s.Image == "pictifyd" {
			all = append(all, s.Command)
		}
	}
	return all
}

func TestDeployedCommandsAreOurs(t *testing.T) {
	all := deployed(t)
	if len(all) < 7 {
		t.Errorf("only %d commands: %q", len(all), all)
	}
	for _, args := range all {
		var c commands
		parser, err := kong.New(&c, kong.Name("pictifyd"), kong.Exit(func(int) {}))
		if err != nil {
			t.Fatal(err)
		}
		run := slices.IndexFunc(parser.Model.Children, func(n *kong.Node) bool { return n.Name == "run" })
		if !slices.ContainsFunc(parser.Model.Children[run].Flags, func(f *kong.Flag) bool { return f.Name == "roles" }) {
			if at := slices.Index(args, "--roles"); at >= 0 {
				args = slices.Delete(slices.Clone(args), at, at+2) // before there are roles
			}
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("pictifyd %s: %v", strings.Join(args, " "), err)
		}
	}
}

func TestDeployedConfigurationIsGood(t *testing.T) {
	const path = "../../deploy/scaled/pictifyd.yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(string(text), -1) {
		value := "a-secret-that-is-long-enough"
		switch m[1] {
		case "PICTIFYD_PUBLIC_URL":
			value = "https://images.example"
		case "PICTIFYD_STORE":
			value = "postgres://pictifyd:secret@postgres:5432/pictifyd?sslmode=disable"
		}
		t.Setenv(m[1], value)
	}
	s, err := daemon.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Blobs.IsBucket() || !strings.HasPrefix(s.Store.URL, "postgres://") || s.Store.SealKey.IsZero() || len(s.Server.URLKeys) != 1 {
		t.Errorf("it is %+v", s)
	}
}
