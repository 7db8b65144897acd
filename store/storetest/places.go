package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// inFormats is a proposal of one page in several formats, whose fingerprints
// would stand in any order.
func inFormats(key string, formats ...string) bindings.Proposal {
	p := bindings.Proposal{Owner: owner, Key: key, Digest: "formats of " + key, Priority: bindings.PriorityChange}
	for i, format := range formats {
		spec := bindings.Spec{Template: "card", Version: 1, Page: "page", Values: []string{key}, Encoding: bindings.Encoding{Format: format}}
		p.Wants = append(p.Wants, bindings.Want{Output: format, Fingerprint: fmt.Sprintf("%d of %s in %s", (i+len(key)*7)%3, key, format), Spec: spec})
	}
	return p
}

// rowsOf are the rows of claims, as often as they stand there.
func rowsOf(claims []store.Claim) []string {
	var rows []string
	for _, c := range claims {
		rows = append(rows, c.Spec.Values[0])
	}
	return rows
}

var places = map[string]func(*testing.T, Open){
	"OutputsOfARowAreClaimedOneAfterTheOther": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.Replan(t.Context(), "cards", []bindings.Proposal{
			inFormats("a", "png", "jpeg", "webp"), inFormats("bb", "png", "jpeg", "webp"), inFormats("ccc", "png", "jpeg", "webp"),
		}))(t)
		want := []string{"a", "a", "a", "bb", "bb", "bb", "ccc", "ccc", "ccc"}
		if diff := cmp.Diff(want, rowsOf(claim(t, s, 1, 100))); diff != "" {
			t.Errorf("claimed (-want +got):\n%s", diff)
		}
	},

	"TurnTakesRowsWhole": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.Replan(t.Context(), "cards", []bindings.Proposal{
			inFormats("a", "png", "jpeg"), inFormats("bb", "png", "jpeg", "webp"), inFormats("ccc", "png", "jpeg", "webp"),
		}))(t)
		for turn, c := range []struct {
			limit int
			want  []string
		}{
			{4, []string{"a", "a"}}, // three do not fit beside them
			{3, []string{"bb", "bb", "bb"}},
			{2, []string{"ccc", "ccc"}}, // a row that fits nowhere is cut
			{2, []string{"ccc"}},
		} {
			if diff := cmp.Diff(c.want, rowsOf(claim(t, s, int64(turn), c.limit))); diff != "" {
				t.Errorf("turn %d (-want +got):\n%s", turn, diff)
			}
		}
	},

	"PrintAndStillsAreApart": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, inFormats("a", "png", "pdf", "gif", "jpeg"))
		var formats [][]string
		for turn := range int64(3) {
			var of []string
			for _, c := range claim(t, s, turn, 100) {
				of = append(of, c.Spec.Format)
			}
			formats = append(formats, of)
		}
		for _, of := range formats {
			if len(of) == 0 || len(of) == 2 && of[0]+of[1] != "pngjpeg" && of[0]+of[1] != "jpegpng" || len(of) > 2 {
				t.Errorf("claimed were %q, want png with jpeg, pdf and gif alone", formats)
			}
		}
	},
}

// ofVersion is wants, drawn by that version of the template.
func ofVersion(version int64, key, text, fingerprint string) bindings.Proposal {
	p := wants(key, text)
	p.Wants[0].Spec.Version, p.Wants[0].Spec.Page = version, fmt.Sprint("page of ", version)
	p.Wants[0].Fingerprint, p.Digest = fingerprint, fingerprint
	return p
}

var redrawn = map[string]func(*testing.T, Open){
	"ClaimKnowsWhatIsShownBefore": func(t *testing.T, open Open) {
		for name, c := range map[string]struct {
			next bindings.Proposal
			want string
		}{
			"another version":           {ofVersion(2, "a", "1", "fp2"), "hash of fp1"},
			"another version and value": {ofVersion(2, "a", "2", "fp2"), "hash of fp1"}, // its form may be another
			"another epoch":             {ofVersion(1, "a", "1", "fp2"), "hash of fp1"},
			"another value":             {ofVersion(1, "a", "2", "fp2"), ""},
			"a row without a picture":   {ofVersion(2, "b", "1", "fp2"), ""},
		} {
			t.Run(name, func(t *testing.T) {
				s := newStore(t, open)
				replan(t, s, ofVersion(1, "a", "1", "fp1"))
				first := claim(t, s, 1, 1)[0]
				if first.Before != "" {
					t.Errorf("the first picture comes after %q", first.Before)
				}
				must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(first)}, true))
				replan(t, s, c.next)
				claims := claim(t, s, 2, 10)
				if len(claims) != 1 || claims[0].Before != c.want {
					t.Errorf("claimed is %+v, want %q before", claims, c.want)
				}
			})
		}
	},

	"OtherEncodingIsAnotherPicture": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, ofVersion(1, "a", "1", "fp1"))
		draw(t, s)
		next := ofVersion(2, "a", "1", "fp2")
		next.Wants[0].Spec.Compression = "palette"
		replan(t, s, next)
		if claims := claim(t, s, 2, 10); len(claims) != 1 || claims[0].Before != "" {
			t.Errorf("claimed is %+v, want nothing before", claims)
		}
	},

	"RowThatLooksAsBeforeIsNotToldAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, ofVersion(1, "a", "1", "fp1"))
		draw(t, s)
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 {
			t.Fatalf("told was %+v", sent)
		}
		replan(t, s, ofVersion(2, "a", "1", "fp2"))
		done := picture(claim(t, s, 2, 1)[0])
		done.Hash = "hash of fp1"
		must(t, s.FinishRenders(t.Context(), hand(2), []store.Rendered{done}, true))
		if g := image(t, s, "a"); g.Hash != "hash of fp1" || g.Generation != 2 || g.Waiting {
			t.Errorf("served is %+v", g)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("told again was %+v", sent)
		}
		replan(t, s, ofVersion(3, "a", "1", "fp3"))
		draw(t, s)
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 || sent[0].Outputs[0].Hash != "hash of fp3" {
			t.Errorf("of another picture was told %+v", sent)
		}
	},
}
