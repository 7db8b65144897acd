package daemon

import (
	"net/url"
	"testing"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
)

func TestLatestIsTheShortestAddressThatShowsTheOutput(t *testing.T) {
	u := urls{base: "https://img.example", signers: &signers{}}
	u.signers.set([]api.URLKey{{Secret: config.NewSecret("first")}, {Secret: config.NewSecret("second")}})
	b := bindings.Config{Name: "cards", Public: true, Outputs: []bindings.Output{{Name: "card"}, {Name: "small"}, {Name: "story", Encoding: bindings.Encoding{Format: "jpeg"}}}}
	for name, c := range map[string]struct {
		o    sink.Output
		want string
	}{
		"the first of its extension":  {sink.Output{Name: "card", Ext: "png"}, "/b/cards/a%2Eb,c.png"},
		"the second of it":            {sink.Output{Name: "small", Ext: "png"}, "/b/cards/a%2Eb,c/small.png"},
		"the first of another":        {sink.Output{Name: "story", Ext: "jpg"}, "/b/cards/a%2Eb,c.jpg"},
		"one that is not drawn today": {sink.Output{Name: "gone", Ext: "pdf"}, "/b/cards/a%2Eb,c.pdf"},
	} {
		if got := u.Latest(b, "a%2Eb,c", c.o); got != "https://img.example"+c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	b.Public = false
	signed, err := url.Parse(u.Latest(b, "A", sink.Output{Name: "card", Ext: "png"}))
	if err != nil || !signing.Verify("/b/cards/A.png", signed.Query().Get("sig"), "first") {
		t.Errorf("of a binding that is not public: %v, %v; want it signed with the first key", signed, err)
	}
}
