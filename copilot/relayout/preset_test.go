package relayout_test

import (
	"testing"

	"github.com/pictifyd/pictifyd/copilot/relayout"
)

func TestPresetsByTheWordsThatPeopleUse(t *testing.T) {
	for words, want := range map[string]string{
		"resize this for Instagram Story": "story",
		"Mach eine Story daraus":          "story",
		"para historias de Instagram":     "story",
		"インスタのストーリーにして":                   "story",
		"TikTok please":                   "story",
		"1080x1920":                       "story",
		"9:16":                            "story",
		"a square post":                   "square",
		"Instagram post":                  "square",
		"1:1.":                            "square",
		"quadratisch":                     "square",
		"正方形にして":                          "square",
		"portrait, 4:5":                   "portrait",
		"YouTube thumbnail":               "youtube",
		"YouTube Short":                   "story",
		"an open graph image":             "og",
		"OG":                              "og",
		"for Twitter":                     "x",
		"Querformat":                      "x",
		"A4 quer":                         "a4-landscape",
		"Pinterest":                       "pinterest",
		"1200 × 627 px":                   "linkedin",
		"LinkedIn banner":                 "linkedin-banner",
		"leaderboard banner":              "leaderboard",
		"e-mail header":                   "email",
		"make it 900 by 1600":             "900x1600",
		"800X600px":                       "800x600",
	} {
		if p, ok := relayout.PresetFor(words); !ok || p.Name != want {
			t.Errorf("%q is %q, not %q", words, p.Name, want)
		}
	}
	for _, words := range []string{"", "make the title bigger", "history of art", "10x20000000", "an example", "reelect"} {
		if p, ok := relayout.PresetFor(words); ok {
			t.Errorf("%q is %q", words, p.Name)
		}
	}
}

func TestStoriesKeepRoomForControls(t *testing.T) {
	if p, _ := relayout.PresetFor("story"); p.Safe != (relayout.Safe{Top: 250, Bottom: 340}) {
		t.Errorf("a story keeps %+v", p.Safe)
	}
	if s := relayout.SafeOf(720, 1280); s.Top != 166 || s.Bottom != 226 {
		t.Errorf("a smaller story keeps %+v", s)
	}
	if s := relayout.SafeOf(1080, 1350); s != (relayout.Safe{}) {
		t.Errorf("a post keeps %+v", s)
	}
	names := map[string]bool{}
	for _, p := range relayout.Presets() {
		if names[p.Name] || p.W <= 0 || p.H <= 0 || p.Label == "" {
			t.Errorf("%+v", p)
		}
		names[p.Name] = true
	}
}
