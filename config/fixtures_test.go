package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var update = flag.Bool("update", false, "rewrite the wanted messages of the bad fixtures")

// read parses and decodes a fixture, which stands in messages under its base name.
func read(tb testing.TB, path string) (settings, config.Node, error) {
	tb.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	s := defaults()
	n, err := config.Parse(filepath.Base(path), src, options())
	if err == nil {
		err = n.Decode(&s)
	}
	return s, n, err
}

func fixtures(tb testing.TB, suffix string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*"+suffix))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("find fixtures *%s: %d found, %v", suffix, len(paths), err)
	}
	return paths
}

func TestGoodFilesHaveNoProblem(t *testing.T) {
	for _, path := range fixtures(t, ".good.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if _, _, err := read(t, path); err != nil {
				t.Errorf("got problems:\n%v", err)
			}
		})
	}
}

// problems are the messages that a fixture earns, without its name.
func problems(tb testing.TB, path string) []string {
	tb.Helper()
	_, _, err := read(tb, path)
	var messages []string
	for _, p := range problem.All(err) {
		messages = append(messages, strings.TrimPrefix(p.Error(), filepath.Base(path)+":"))
	}
	return messages
}

const wantPrefix = "# want: "

// split takes the wanted messages off the head of a fixture.
func split(src string) (want []string, rest string) {
	for strings.HasPrefix(src, wantPrefix) {
		line, after, _ := strings.Cut(src, "\n")
		want, src = append(want, strings.TrimPrefix(line, wantPrefix)), after
	}
	return want, src
}

func TestBadFilesHaveEveryProblemAtOnce(t *testing.T) {
	for _, path := range fixtures(t, ".bad.yaml") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if *update {
				rewrite(t, path)
			}
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := split(string(src))
			got := problems(t, path)
			if len(want) == 0 {
				t.Errorf("the first line is not %q", wantPrefix+"message")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
			if strings.Contains(strings.Join(got, "\n"), "hunter2") {
				t.Errorf("a secret is shown:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// rewrite puts the messages that a fixture earns at its head. It does so twice,
// because the number of its lines moves what the messages point to.
func rewrite(tb testing.TB, path string) {
	tb.Helper()
	for range 2 {
		src, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		_, rest := split(string(src))
		var head strings.Builder
		for _, message := range problems(tb, path) {
			head.WriteString(wantPrefix + message + "\n")
		}
		if err := os.WriteFile(path, []byte(head.String()+rest), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
}
