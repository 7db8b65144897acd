package deploy

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func mustRead(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestComposeContainsChrome(t *testing.T) {
	var file struct {
		Services map[string]struct {
			SecurityOpt []string `yaml:"security_opt"`
			CapDrop     []string `yaml:"cap_drop"`
			CapAdd      []string `yaml:"cap_add"`
			Privileged  bool     `yaml:"privileged"`
			User        string   `yaml:"user"`
		} `yaml:"services"`
	}
	if err := yaml.Unmarshal([]byte(mustRead(t, "compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	s, ok := file.Services["pictifyd"]
	if !ok || s.Privileged || len(s.CapAdd) > 0 || !slices.Equal(s.CapDrop, []string{"ALL"}) || s.User == "root" || s.User == "0" {
		t.Errorf("the service is %+v", s)
	}
	profile := ""
	for _, option := range s.SecurityOpt {
		if name, ok := strings.CutPrefix(option, "seccomp="); ok {
			profile = name
		}
	}
	if _, err := os.Stat(profile); err != nil {
		t.Errorf("its seccomp profile is %q: %v", profile, err)
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("its options are %q", s.SecurityOpt)
	}
}

func TestImageRunsAsAUserOfItsOwn(t *testing.T) {
	users := regexp.MustCompile(`(?m)^USER\s+(\S+)`).FindAllStringSubmatch(mustRead(t, "Dockerfile"), -1)
	if len(users) == 0 || slices.Contains([]string{"root", "0", "0:0"}, users[len(users)-1][1]) {
		t.Fatalf("the users are %q", users)
	}
	name := users[len(users)-1][1]
	if !regexp.MustCompile(`useradd[^\n]*--uid [1-9]\d*[^\n]* ` + name + `\b`).MatchString(mustRead(t, "Dockerfile")) {
		t.Errorf("the user %s is not made with an id of its own", name)
	}
}

// alternatives is the paths that a pattern with braces stands for.
func alternatives(pattern string) []string {
	closing := strings.IndexByte(pattern, '}')
	if closing < 0 {
		return []string{pattern}
	}
	opening := strings.LastIndexByte(pattern[:closing], '{')
	var all []string
	for word := range strings.SplitSeq(pattern[opening+1:closing], ",") {
		all = append(all, alternatives(pattern[:opening]+word+pattern[closing+1:])...)
	}
	return all
}

func TestAppArmorProfileGivesHeadlessShellsTheirNamespaces(t *testing.T) {
	text := mustRead(t, "apparmor/pictifyd-chrome")
	if strings.Count(text, "{") != strings.Count(text, "}") || !regexp.MustCompile(`(?m)^  userns,$`).MatchString(text) {
		t.Errorf("the profile is\n%s", text)
	}
	found := regexp.MustCompile(`(?m)^profile pictifyd-chrome (/\S+) flags=\(unconfined\) \{$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no profile in\n%s", text)
	}
	matches := func(path string) bool {
		return slices.ContainsFunc(alternatives(found[1]), func(pattern string) bool {
			if before, after, deep := strings.Cut(pattern, "**"); deep {
				return strings.HasPrefix(path, before) && strings.HasSuffix(path, after)
			}
			ok, err := filepath.Match(pattern, path)
			return err == nil && ok
		})
	}
	for _, path := range []string{
		"/usr/lib/chromium/chromium-headless-shell", "/usr/lib64/chromium-browser/headless_shell", "/usr/bin/headless_shell",
		"/usr/local/bin/chrome-headless-shell", "/opt/chrome-headless-shell-linux64/chrome-headless-shell", "/opt/chromium/headless-shell",
	} {
		if !matches(path) {
			t.Errorf("%s is not meant", path)
		}
	}
	for _, path := range []string{"/usr/lib/chromium/chromium", "/opt/google/chrome/chrome", "/usr/bin/bash", "/tmp/headless_shell", "/home/a/chrome-headless-shell"} {
		if matches(path) {
			t.Errorf("%s is meant too", path)
		}
	}
}
