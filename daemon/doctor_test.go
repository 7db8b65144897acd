package daemon

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/writing"
	"github.com/pictifyd/pictifyd/render/chrome"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

// signNamed is one of the signs.
func signNamed(tb testing.TB, signs []Sign, name string) Sign {
	tb.Helper()
	for _, s := range signs {
		if s.Name == name {
			return s
		}
	}
	tb.Fatalf("no sign %q among %+v", name, signs)
	return Sign{}
}

func TestDoctorSaysWhatToInstall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pictifyd.yaml")
	mustWrite(t, path, "render: { chrome: /nowhere/chrome }\n")
	signs, err := Doctor{Config: path}.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := signNamed(t, signs, "Chrome"); s.Health != Missing || !strings.Contains(s.Says, "/nowhere/chrome") || !strings.Contains(s.Do, "apt-get install") {
		t.Errorf("Chrome: %+v", s)
	}
	if s := signNamed(t, signs, "data folder"); s.Health != Well || !strings.Contains(s.Says, filepath.Join(filepath.Dir(path), "data")+" will be made") {
		t.Errorf("the data folder: %+v", s)
	}
	if s := signNamed(t, signs, "templates"); s.Health != Warn || !strings.Contains(s.Do, "template new") {
		t.Errorf("templates: %+v", s)
	}
	signNamed(t, signs, "time zones")
}

func TestDoctorTellsOfABrokenConfiguration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pictifyd.yaml")
	mustWrite(t, path, "render: { chrome: /nowhere/chrome }\nlisen: 3\nsources: { a: { kind: fil } }\n")
	signs, err := Doctor{Config: path}.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s := signNamed(t, signs, "configuration"); s.Health != Missing || !strings.Contains(s.Says, path+":2:") || !strings.Contains(s.Do, "check -c "+path) {
		t.Errorf("the configuration: %+v", s)
	}
	if _, err := (Doctor{Config: path + ".none"}).Examine(t.Context()); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("a configuration that is not there: %v", err)
	}
}

func TestDoctorDoesWithoutAConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	s, signs, err := Doctor{}.settings()
	if err != nil || signs[0].Health != Well || s.Render != chrome.DefaultConfig() {
		t.Errorf("%+v, %+v, %v", s, signs, err)
	}
	mustWrite(t, defaultConfig, "render: { chrome: other }\n")
	if s, _, err = (Doctor{}).settings(); err != nil || s.Render.Chrome != "other" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSandboxThatIsMissingIsNotChrome(t *testing.T) {
	err := problem.New(problem.Surroundings, "no usable sandbox").WithSlug(chrome.SlugNoSandbox).WithHint("allow namespaces")
	want := []Sign{
		{Name: "Chrome", Health: Well, Says: "/usr/bin/chromium is there"},
		{Name: "sandbox", Health: Missing, Says: "no usable sandbox", Do: "allow namespaces"},
	}
	if diff := cmp.Diff(want, notStarted("/usr/bin/chromium", err)); diff != "" {
		t.Error(diff)
	}
	if signs := notStarted("/usr/bin/chromium", errors.New("crash")); len(signs) != 1 || signs[0].Name != "Chrome" || signs[0].Health != Missing {
		t.Errorf("%+v", signs)
	}
}

func TestChromeProvesItselfAndItsFonts(t *testing.T) {
	needChrome(t)
	cfg := chrome.DefaultConfig()
	cfg.Chrome = os.Getenv("PICTIFYD_TEST_CHROME")
	signs := Doctor{Log: slog.New(slog.DiscardHandler)}.chromeSigns(t.Context(), cfg)
	for _, name := range []string{"Chrome", "sandbox", "font for Latin"} {
		if s := signNamed(t, signs, name); s.Health != Well {
			t.Errorf("%+v", s)
		}
	}
	if s := signNamed(t, signs, "Chrome"); !strings.Contains(s.Says, "HeadlessChrome/") || !strings.Contains(s.Says, "as user ") {
		t.Errorf("%+v", s)
	}
	if s := signNamed(t, signs, "sandbox"); !strings.HasPrefix(s.Says, "Seccomp: 2 and another user namespace, seen in ") {
		t.Errorf("%+v", s)
	}
	if want := len(writing.Scripts()) + 3; len(signs) != want {
		t.Errorf("%d signs, want %d", len(signs), want)
	}
}

// The doctor says what it sees, not what was asked for.
func TestSandboxIsJudgedByWhatIsSeen(t *testing.T) {
	well := func(int) (chrome.Sandbox, error) { return chrome.Sandbox{Renderers: 2, Namespace: "user"}, nil }
	bad := func(int) (chrome.Sandbox, error) {
		return chrome.Sandbox{}, errors.New("renderer 7 filters no system calls (Seccomp: 0)")
	}
	for name, c := range map[string]struct {
		setting string
		look    func(int) (chrome.Sandbox, error)
		health  Health
		says    string
	}{
		"with one":                     {chrome.SandboxRequired, well, Well, "Seccomp: 2 and another user namespace, seen in 2 renderers of Chrome (process 5)"},
		"without one, as was asked":    {chrome.SandboxNone, bad, Warn, "Seccomp: 0"},
		"without one, which was asked": {"", bad, Missing, "Seccomp: 0"},
	} {
		if s := sandboxSign(c.setting, 5, c.look); s.Name != "sandbox" || s.Health != c.health || !strings.Contains(s.Says, c.says) || (s.Do == "") != (c.health == Well) {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func TestDoctorSeesThatChromeHasNoSandbox(t *testing.T) {
	needChrome(t)
	cfg := chrome.DefaultConfig()
	cfg.Chrome, cfg.Sandbox = os.Getenv("PICTIFYD_TEST_CHROME"), chrome.SandboxNone
	signs := Doctor{Log: slog.New(slog.DiscardHandler)}.chromeSigns(t.Context(), cfg)
	if s := signNamed(t, signs, "sandbox"); s.Health != Warn || !strings.Contains(s.Says, "Seccomp: 0") || s.Do == "" {
		t.Errorf("%+v", s)
	}
}

func TestLettersThatNoFontHasAreSeen(t *testing.T) {
	needChrome(t)
	cfg := chrome.DefaultConfig()
	cfg.Chrome, cfg.Browsers = os.Getenv("PICTIFYD_TEST_CHROME"), "1"
	pool, err := chrome.Open(t.Context(), cfg, noFiles{}, chrome.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close(context.WithoutCancel(t.Context())) }()
	cells, err := drawLetters(t.Context(), pool, []rune{nobody, 'A', '\u0379', '\u2003'})
	if err != nil {
		t.Fatal(err)
	}
	if !cells.shows('A', false) || cells.shows('A', true) || cells.shows('\u0379', false) || cells.shows('\u2003', false) {
		t.Errorf("A %v, coloured %v; an unassigned letter %v; a blank %v",
			cells.shows('A', false), cells.shows('A', true), cells.shows('\u0379', false), cells.shows('\u2003', false))
	}
}

func TestLetterIsSomethingElseThanTheBoxOfThoseThatAreMissing(t *testing.T) {
	picture := image.NewRGBA(image.Rect(0, 0, 4*cellSide, cellSide))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	fill := func(cell int, r image.Rectangle, c color.Color) image.Point {
		at := image.Pt(cell*cellSide, 0)
		draw.Draw(picture, r.Add(at), image.NewUniform(c), image.Point{}, draw.Src)
		return at
	}
	box, bar := image.Rect(20, 20, 60, 60), image.Rect(30, 10, 34, 70)
	cells := letterCells{picture, map[rune]image.Point{
		nobody: fill(0, box, color.Black), 'x': fill(1, box, color.Black),
		'l': fill(2, bar, color.Black), 'r': fill(3, bar, color.RGBA{200, 0, 0, 255}), ' ': {},
	}}
	for _, c := range []struct {
		letter       rune
		colour, want bool
	}{{'x', false, false}, {'l', false, true}, {'l', true, false}, {'r', true, true}, {nobody, false, false}} {
		if got := cells.shows(c.letter, c.colour); got != c.want {
			t.Errorf("%q, coloured %v: %v", c.letter, c.colour, got)
		}
	}
}

func TestScriptWithoutAFontNamesItsPackage(t *testing.T) {
	signs := scriptSigns(func(letter rune, colour bool) bool { return letter < 0x3000 && !colour })
	var missing []string
	for _, s := range signs {
		if s.Health == Missing {
			missing = append(missing, s.Name+": "+s.Do)
		}
	}
	want := []string{
		"font for Chinese: apt-get install fonts-noto-cjk", "font for Japanese: apt-get install fonts-noto-cjk",
		"font for Korean: apt-get install fonts-noto-cjk", "font for emoji: apt-get install fonts-noto-color-emoji",
	}
	if diff := cmp.Diff(want, missing); diff != "" {
		t.Error(diff)
	}
}

// A machine whose Chrome does not work may know of its fonts all the same.
func TestFontsAreListedWhereNoChromeCanBeAsked(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if signs := listedScripts(t.Context()); len(signs) != 1 || signs[0].Health != Warn {
		t.Errorf("without fc-list: %+v", signs)
	}
	script := "#!/bin/sh\ncase $1 in *charset=1f*color=True|*charset=5e9*|*charset=5d*) echo Some Font;; esac\n"
	if err := os.WriteFile(filepath.Join(dir, "fc-list"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	signs := listedScripts(t.Context())
	if len(signs) != len(writing.Scripts()) || signNamed(t, signs, "font for emoji").Health != Well || signNamed(t, signs, "font for Thai").Health != Missing {
		t.Errorf("%+v", signs)
	}
	if s := signNamed(t, signs, "font for Hebrew"); s.Health != Well {
		t.Errorf("%+v", s)
	}
}

func TestClockIsLookedAtWithItsPlace(t *testing.T) {
	now := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	none := func(name string) (*time.Location, error) {
		if name == "" || name == "UTC" {
			return time.UTC, nil
		}
		return nil, errors.New("unknown time zone " + name)
	}
	for name, c := range map[string]struct {
		now          time.Time
		load         func(string) (*time.Location, error)
		tz           string
		clock, zones Health
	}{
		"all well":              {now, time.LoadLocation, "", Well, Well},
		"before this program":   {time.Unix(0, 0), time.LoadLocation, "", Missing, Well},
		"an unknown place":      {now, time.LoadLocation, "Europe/Berln", Warn, Well},
		"a place with a colon":  {now, time.LoadLocation, ":Europe/Berlin", Well, Well},
		"a file as the place":   {now, time.LoadLocation, "/etc/localtime", Well, Well},
		"no time zones at all":  {now, none, "", Well, Missing},
		"no zones, and a place": {now, none, "Europe/Berlin", Warn, Missing},
	} {
		signs := clockSigns(c.now, c.load, c.tz)
		if clock, zones := signNamed(t, signs, "clock"), signNamed(t, signs, "time zones"); clock.Health != c.clock || zones.Health != c.zones {
			t.Errorf("%s: %+v, %+v", name, clock, zones)
		}
	}
}

func TestFoldersOfDataAreFound(t *testing.T) {
	for _, c := range []struct {
		store, blobs string
		want         []string
	}{
		{"sqlite:data/pictifyd.db", "file:data/images", []string{"/site/data"}},
		{"sqlite:///var/db/p.db", "file:///var/images", []string{"/var/db", "/var/images"}},
		{"postgres://u@h/d", "file:images", []string{"/site/images"}},
	} {
		s := &Settings{Dir: "/site", Store: store.Config{URL: c.store}, Blobs: blob.Config{URL: c.blobs}}
		if got := s.dataFolders(); !slices.Equal(got, c.want) {
			t.Errorf("%s and %s: %v, want %v", c.store, c.blobs, got, c.want)
		}
	}
}

func TestFolderThatCannotHoldDataIsMissing(t *testing.T) {
	dir := t.TempDir()
	if s := diskSign(dir); s.Health == Missing {
		t.Errorf("a folder: %+v", s)
	}
	if s := diskSign(filepath.Join(dir, "a", "b")); s.Health == Missing || !strings.Contains(s.Says, "will be made") {
		t.Errorf("one that is made later: %+v", s)
	}
	dir = "/proc" // also root makes no folder there
	if s := diskSign(filepath.Join(dir, "a")); s.Health != Missing || !strings.Contains(s.Says, dir) {
		t.Errorf("one that is not ours: %+v", s)
	}
}

func TestSharedMemoryThatIsNotThereIsNoReasonToStop(t *testing.T) {
	if s := memorySign(filepath.Join(t.TempDir(), "none")); s.Health != Warn || !strings.Contains(s.Says, "temporary folder") {
		t.Errorf("%+v", s)
	}
}
