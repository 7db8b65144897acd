package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// TestServiceIsHardened holds the unit against systemd itself, where that is there, and
// against what Chrome's sandbox needs in any case.
func TestServiceIsHardened(t *testing.T) {
	unit := mustRead(t, "systemd/pictifyd.service")
	for _, line := range []string{
		"User=pictifyd", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "ProtectSystem=strict", "UMask=0077", "StateDirectoryMode=0700",
		"RestrictNamespaces=user pid net", // without these three Chrome has no sandbox
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if regexp.MustCompile(`(?m)^(User=root|AmbientCapabilities=.+|PrivateUsers=yes)$`).MatchString(unit) {
		t.Error("it has rights that it does not need, or none to make namespaces")
	}
	if !strings.Contains(mustRead(t, "systemd/pictifyd.sysusers"), "\nu pictifyd ") {
		t.Error("the user is not made")
	}
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here: only the text was looked at")
		return
	}
	// The binary is not installed: a unit of the same text with one that is there.
	binary, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pictifyd.service")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(unit, "/usr/local/bin/pictifyd", binary)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), systemd, "verify", "--man=no", path).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, path) { // other units of this machine are not ours
			t.Errorf("systemd says: %s", strings.TrimSpace(line))
		}
	}
	if err != nil && strings.Contains(string(out), path) {
		t.Errorf("verify: %v", err)
	}
	out, err = exec.CommandContext(t.Context(), systemd, "security", "--offline=yes", "--no-pager", path).CombinedOutput()
	found := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindSubmatch(out)
	if found == nil {
		t.Logf("systemd-analyze security says nothing here: %v: %.200s", err, out)
		return
	}
	if level, err := strconv.ParseFloat(string(found[1]), 64); err != nil || level > 2.5 {
		t.Errorf("systemd finds it exposed to %s of 10, want at most 2.5:\n%s", found[1], out)
	}
}

// Every process of the scaled form has Chrome's walls around it, and no secret of its own.
func TestScaledComposeContainsChrome(t *testing.T) {
	text := mustRead(t, "compose.scaled.yaml")
	var file struct {
		Services map[string]struct {
			Image       string
			Build       any
			SecurityOpt []string `yaml:"security_opt"`
			CapDrop     []string `yaml:"cap_drop"`
			CapAdd      []string `yaml:"cap_add"`
			Privileged  bool
			ReadOnly    bool `yaml:"read_only"`
			Volumes     []string
			DependsOn   any `yaml:"depends_on"`
			Ports       []string
			Command     []string
			Environment map[string]string
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"connect", "render", "deliver", "api"} {
		s, ok := file.Services[name]
		if !ok || s.Privileged || len(s.CapAdd) > 0 || len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || !s.ReadOnly || len(s.SecurityOpt) != 2 || s.Command[len(s.Command)-1] != name {
			t.Errorf("%s is %+v", name, s)
		}
	}
	for name, s := range file.Services {
		if s.Build == nil && !regexp.MustCompile(`:v?\d`).MatchString(s.Image) {
			t.Errorf("%s: the image %q has no version", name, s.Image)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s is open to the network: %s", name, port)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if _, ok := file.Volumes[from]; ok {
				continue
			}
			if _, err := os.Stat(from); err != nil {
				t.Errorf("%s: the volume %s: %v", name, volume, err)
			}
		}
		for variable, value := range s.Environment {
			if variable != "ROOT_ACCESS_KEY" && regexp.MustCompile(`(KEY|SECRET|PASSWORD)$`).MatchString(variable) && !strings.HasPrefix(value, "${") {
				t.Errorf("%s: %s is written out", name, variable)
			}
		}
	}
	// What the configuration reads is what the processes are given.
	for _, m := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(mustRead(t, "scaled/pictifyd.yaml"), -1) {
		if _, ok := file.Services["render"].Environment[m[1]]; !ok {
			t.Errorf("%s is not given to the processes", m[1])
		}
	}
}

// Whatever the image copies is there, and its base has a version.
func TestImageIsMadeOfWhatThereIs(t *testing.T) {
	text := mustRead(t, "Dockerfile")
	for _, m := range regexp.MustCompile(`(?m)^COPY (?:--from=\S+ )?(.+) \S+$`).FindAllStringSubmatch(text, -1) {
		if strings.Contains(m[0], "--from=") {
			continue
		}
		for name := range strings.FieldsSeq(m[1]) {
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("COPY %s: %v", name, err)
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`:\d+\.\d+`).MatchString(m[1]) {
			t.Errorf("the base %s has no version", m[1])
		}
	}
	if !strings.Contains(text, `ENTRYPOINT ["tini", "--", "pictifyd"]`) || !strings.Contains(text, "\nHEALTHCHECK ") || strings.Contains(text, "no-sandbox") {
		t.Error("no tini, no health, or no sandbox")
	}
	mod := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(mustRead(t, "../go.mod"))
	if mod == nil || !strings.Contains(text, "FROM golang:"+mod[1]) {
		t.Errorf("the image is built with another Go than go.mod's %v", mod)
	}
}

// The check of dependencies does not pass where it could not be made.
func TestVulnerabilityCheckDoesNotPassUnasked(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{{nil, 4}, {[]string{"--if-reachable"}, 0}} {
		cmd := exec.CommandContext(t.Context(), "../scripts/vuln.sh", c.args...)
		cmd.Env = append(os.Environ(), "GOVULNDB=file://"+t.TempDir())
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), "NOT CHECKED") {
			t.Errorf("%v: exit code %d: %s", c.args, cmd.ProcessState.ExitCode(), out)
		}
	}
}

// A release is refused before anything is built where it could not be what it says.
func TestReleaseScriptNamesWhatItMakes(t *testing.T) {
	text := mustRead(t, "../scripts/release.sh")
	for _, want := range []string{"-trimpath", "-buildvcs=false", "SOURCE_DATE_EPOCH", "linux/amd64 linux/arm64 darwin/arm64", "SHA256SUMS", "sbom.sh", "cmp "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, version := range []string{"1.2.3", "v1.2", "latest", "v1.2.3 x", "v1.2.3;id"} {
		cmd := exec.CommandContext(t.Context(), "../scripts/release.sh")
		cmd.Env = append(os.Environ(), "VERSION="+version, "OUT="+t.TempDir(), "PLATFORMS=")
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "is no version") {
			t.Errorf("%q: exit code %d: %s", version, cmd.ProcessState.ExitCode(), out)
		}
	}
	for _, m := range regexp.MustCompile(`cp (?:-r )?(.+) "\$work`).FindAllStringSubmatch(text, -1) {
		for name := range strings.FieldsSeq(m[1]) {
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
