package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// kind is the finest code of err; "" for nil.
func kind(err error) string {
	var p *problem.Error
	if errors.As(err, &p) {
		return p.Kind()
	}
	return ""
}

var settings = map[string]func(*testing.T, Open){
	"SettingIsMadeOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		made := 0
		make := func() (string, error) { made++; return fmt.Sprint("secret ", made), nil }
		first := got(s.Setting(t.Context(), "url_key", make))(t)
		if again := got(s.Setting(t.Context(), "url_key", make))(t); again != first || made != 1 {
			t.Errorf("the setting is %q, then %q; made %d times", first, again, made)
		}
		if _, err := s.Setting(t.Context(), "other", func() (string, error) { return "", errDown }); !errors.Is(err, errDown) {
			t.Errorf("a setting that cannot be made gave %v", err)
		}
	},

	"EpochStartsAtOneAndOnlyRises": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for want := int64(1); want < 4; want++ {
			if e := got(s.Epoch(t.Context()))(t); e != want {
				t.Fatalf("the epoch is %d, want %d", e, want)
			}
			if e := got(s.RaiseEpoch(t.Context()))(t); e != want+1 {
				t.Fatalf("the raised epoch is %d, want %d", e, want+1)
			}
		}
	},

	"PublishedTemplateIsAVersion": func(t *testing.T, open Open) {
		s := newStore(t, open)
		v := template.Version{Name: "card", Digest: "d1", Source: []byte("<p>{{ title }} é</p>"), Assets: map[string]string{"assets/a.png": "aa"}, Author: "file"}
		first := got(s.PublishTemplate(t.Context(), v))(t)
		if first.Number != 1 || first.CreatedAt.IsZero() {
			t.Errorf("published was %+v", first)
		}
		if again := got(s.PublishTemplate(t.Context(), v))(t); again.Number != 1 {
			t.Errorf("the same again became version %d", again.Number)
		}
		v.Digest = "d2"
		second := got(s.PublishTemplate(t.Context(), v))(t)
		for number, want := range map[int64]template.Version{0: second, 1: first, 2: second} {
			if diff := cmp.Diff(want, got(s.Template(t.Context(), "card", number))(t)); diff != "" {
				t.Errorf("version %d (-want +got):\n%s", number, diff)
			}
		}
		got(s.PublishTemplate(t.Context(), template.Version{Name: "badge", Digest: "x"}))(t)
		all := got(s.Templates(t.Context()))(t)
		if len(all) != 2 || all[0].Name != "badge" || all[1].Number != 2 {
			t.Errorf("templates are %+v", all)
		}
		for name, number := range map[string]int64{"card": 9, "none": 0} {
			if _, err := s.Template(t.Context(), name, number); kind(err) != "template_not_found" {
				t.Errorf("version %d of %q is %v", number, name, err)
			}
		}
	},

	"AssetPinIsRemembered": func(t *testing.T, open Open) {
		s := newStore(t, open)
		const url = "https://example.com/a.png?x=1"
		if _, ok, err := s.AssetPin(t.Context(), url); ok || err != nil {
			t.Errorf("before it is pinned: %v, %v", ok, err)
		}
		for _, digest := range []string{"d1", "d2"} {
			want := assets.Pin{Address: url, Digest: digest, ContentType: "image/png", Size: 7, FetchedAt: start,
				CheckedAt: start.Add(time.Hour), ETag: `W/"` + digest + `"`, LastModified: "Mon, 04 May 2026 12:00:00 GMT"}
			must(t, s.SaveAssetPin(t.Context(), url, want))
			p, ok, err := s.AssetPin(t.Context(), url)
			must(t, err)
			if diff := cmp.Diff(want, p); !ok || diff != "" {
				t.Errorf("pin (-want +got):\n%s", diff)
			}
		}
	},
}

var views = map[string]func(*testing.T, Open){
	"ImageIsFoundByOutputOrExtension": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wantsOutputs(owner, "a,b%2Fc", "story=1", "card=1"))
		draw(t, s)
		if g := got(s.Image(t.Context(), owner, "a,b%2Fc", "", "png"))(t); g.Output != "story" {
			t.Errorf("the first png is %q, want the first output", g.Output)
		}
		if g := got(s.Image(t.Context(), owner, "a,b%2Fc", "card", "png"))(t); g.Hash != "hash of fp-card-1" || g.RenderedAt.IsZero() {
			t.Errorf("the named output is %+v", g)
		}
		for _, q := range [][3]string{{"a,b%2Fc", "", "webp"}, {"a,b%2Fc", "banner", "png"}, {"nobody", "", "png"}} {
			if _, err := s.Image(t.Context(), owner, q[0], q[1], q[2]); kind(err) != "image_not_found" {
				t.Errorf("%q is %v, want image_not_found", q, err)
			}
		}
		replan(t, s, wants("new", "2"))
		if _, err := s.Image(t.Context(), owner, "new", "", "png"); kind(err) != "not_ready" {
			t.Errorf("a picture that waits is %v, want not_ready", err)
		}
	},

	"NewestPicturesComeFirst": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		for _, key := range []string{"a", "b", "c"} {
			replan(t, s, wants(key, key))
			draw(t, s)
			waitMilli(t, s)
		}
		all := got(s.Images(t.Context(), 2))(t)
		if len(all) != 2 || all[0].Key != "c" || all[1].Key != "b" {
			t.Errorf("images are %+v", all)
		}
		must(t, s.DropBindings(t.Context(), nil))
		if all := got(s.Images(t.Context(), 2))(t); len(all) != 0 {
			t.Errorf("of a binding that is gone are shown %+v", all)
		}
	},

	"BindingNobodyKnowsHasOnlyItsName": func(t *testing.T, open Open) {
		s := newStore(t, open)
		all := got(s.Bindings(t.Context(), []string{"none", "cards"}))(t)
		if len(all) != 2 || all[0].Binding != "none" || all[1].Binding != "cards" || all[0].Live != 0 {
			t.Errorf("states are %+v", all)
		}
	},

	"StatusCountsItemsByState": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, ""))
		replan(t, s, wants("a", "1"), wants("b", "2"))
		draw(t, s)
		replan(t, s, wants("b", "3"), fails("c", "wrong_type"), wants("d", "4"), removes("a"))
		if st := status(t, s); st.Live != 3 || st.Ready != 0 || st.Waiting != 2 || st.Failed != 1 || st.Source != source {
			t.Errorf("status is %+v", st)
		}
	},

	"CountersSeeTheWholeLedger": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		replan(t, s, wants("x", "2"))
		claim(t, s, 1, 1)
		c := got(s.Counters(t.Context()))(t)
		if c.Rows != 3 || c.ItemsWaiting != 4 || c.RendersWaiting != 1 || c.RendersClaimed != 1 {
			t.Errorf("counters are %+v", c)
		}
	},

	"CommitIsFeltInTheChangeFeed": func(t *testing.T, open Open) {
		s := newStore(t, open)
		changes, stop := s.Changes()
		for range 3 {
			replan(t, s, wants("a", fmt.Sprint(time.Now().UnixNano())))
		}
		select {
		case <-changes:
		case <-deadline(t).Done():
			t.Fatal("no token after a commit")
		}
		select {
		case <-changes:
			t.Error("tokens that nobody took did not become one")
		default:
		}
		stop()
		replan(t, s, wants("a", "last"))
		select {
		case <-changes:
			t.Error("a token came after stop")
		default:
		}
	},

	"PingReadsTheLedger": func(t *testing.T, open Open) {
		must(t, newStore(t, open).Ping(t.Context()))
	},
}
