package chrome

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// names are the commands that Find tries. The headless shell is first: it has
// no window system, starts faster and needs less memory.
var names = []string{
	"chromium-headless-shell", "chrome-headless-shell", "headless_shell", "headless-shell",
	"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome",
}

// libraries are where packages keep the binary that their command in the PATH
// is a shell script around.
var libraries = []string{
	"/usr/lib/chromium", "/usr/lib64/chromium", "/usr/lib/chromium-browser", "/usr/lib64/chromium-browser",
	"/opt/google/chrome", "/opt/chromium",
}

const installHint = "install one, as in `apt-get install chromium-headless-shell fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji fonts-liberation`, or name its path in render.chrome"

// Find is the path of the Chrome binary called name, a path or a command. ""
// and "auto" mean the best one that this machine has. The path is never that
// of a shell script around the binary: signals and process groups would reach
// the shell. An error is a problem of code Surroundings.
func Find(name string) (path string, err error) {
	if name != "" && name != auto {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", missing("no Chrome at %q: %w", name, err)
		}
		return binaryOf(path)
	}
	for _, name := range names {
		found, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if path, err := binaryOf(found); err == nil {
			return path, nil
		}
	}
	return "", missing("this machine has no Chrome")
}

func missing(format string, args ...any) error {
	return problem.New(problem.Surroundings, format, args...).WithSlug("chrome_missing").WithHint(installHint)
}

// binaryOf is the program that the command at path runs.
func binaryOf(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", missing("no Chrome at %q: %w", path, err)
	}
	if real, err = filepath.Abs(real); err != nil {
		return "", missing("no Chrome at %q: %w", path, err)
	}
	if filepath.Base(real) == "snap" {
		return "", missing("%s is a snap, which can't be given a profile and a pipe", path)
	}
	if script, err := isScript(real); err != nil {
		return "", missing("no Chrome at %q: %w", path, err)
	} else if !script {
		return real, nil
	}
	for _, candidate := range behind(path, real) {
		if script, err := isScript(candidate); err == nil && !script {
			return candidate, nil
		}
	}
	return "", missing("%s is a shell script, and the binary that it starts was not found", path)
}

// behind lists where the binary of a script may be.
func behind(path, script string) (candidates []string) {
	base := filepath.Base(path)
	stems := []string{base, strings.TrimSuffix(base, "-stable"), strings.TrimSuffix(base, "-browser"), "chrome"}
	for _, dir := range append([]string{filepath.Dir(script)}, libraries...) {
		for _, stem := range stems {
			if candidate := filepath.Join(dir, stem); candidate != script {
				candidates = append(candidates, candidate)
			}
		}
	}
	return candidates
}

func isScript(path string) (bool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return false, errors.New("not an executable file")
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var magic [2]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		return false, err
	}
	return string(magic[:]) == "#!", nil
}
