package daemon

import (
	"bytes"
	"image"
	"net/http"
	"testing"
)

func TestRegistrationsThatAreSentBecomeBadges(t *testing.T) {
	s := newStory(t, "inbound")
	url, _ := s.run(Options{})
	s.send(url)
	p := &process{tb: t, url: url}
	eventually(t, "the badges of those who come", func() bool { return p.ready("badges") == 2 })
	if name := p.nameOf("badges", "T-1001"); name != "Ada King" {
		t.Errorf("the badge of T-1001 is for %q, want the newest name", name)
	}
	if size, kind, err := image.DecodeConfig(bytes.NewReader(fetch(t, url+"/b/badges/T-1002.png"))); err != nil || kind != "png" || size.Width != 900 || size.Height != 1200 {
		t.Errorf("the badge is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	// It was never drawn, or is gone.
	if code := p.get("/b/badges/T-1003.png", nil); code != http.StatusGone && code != http.StatusNotFound {
		t.Errorf("the badge of who cancelled: %d", code)
	}
	var v struct{ Source struct{ Warnings []string } }
	if p.get("/sources/registrations", &v); len(v.Source.Warnings) > 0 {
		t.Errorf("warnings are %q", v.Source.Warnings)
	}
}
