package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// card is a version of the template card whose text and digest are given.
func card(text string) template.Version {
	return template.Version{Name: "card", Digest: "d-" + text, Source: []byte("<p>" + text), Assets: map[string]string{"assets/a.png": "aa"}, Author: "file"}
}

// edited is a step by author, with the source that it led to.
func edited(author, text string) (draft.Step, []byte) {
	return draft.Step{
		Kind: draft.Edits, Author: author, Touched: []string{"title", "token:accent"},
		Ops:     []json.RawMessage{json.RawMessage(`{"op":"set_text","id":"title","text":"` + text + `"}`)},
		Inverse: []json.RawMessage{json.RawMessage(`{"op":"set_text","id":"title","text":"before"}`)},
	}, []byte("<p>" + text)
}

// mustAppend takes a step on the draft of card.
func mustAppend(t *testing.T, s *store.Store, ifRevision int64, author, text string) draft.Draft {
	t.Helper()
	step, source := edited(author, text)
	return got(s.AppendDraft(t.Context(), "card", ifRevision, step, source, map[string]string{"assets/a.png": "aa"}))(t)
}

var drafts = map[string]func(*testing.T, Open){
	"DeletedTemplateLeavesNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if err := s.DeleteTemplate(t.Context(), "card", func() error { return nil }); kind(err) != "template_not_found" {
			t.Errorf("no template: %v", err)
		}
		got(s.TakeFile(t.Context(), card("one")))(t)
		got(s.Draft(t.Context(), "card"))(t)
		mustAppend(t, s, 1, "ada", "two")
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Total: 1}))
		if err := s.DeleteTemplate(t.Context(), "card", func() error { return nil }); kind(err) != "in_use" {
			t.Errorf("with a job: %v", err)
		}
		got(s.CancelJob(t.Context(), "j1"))(t)
		if err := s.DeleteTemplate(t.Context(), "card", func() error { return errors.New("its file stays") }); err == nil {
			t.Error("what could not be done before the commit is not said")
		}
		if v := got(s.Template(t.Context(), "card", 0))(t); v.Number != 1 {
			t.Errorf("it is %+v", v)
		}
		must(t, s.DeleteTemplate(t.Context(), "card", func() error { return nil }))
		if _, err := s.Template(t.Context(), "card", 1); kind(err) != "template_not_found" {
			t.Errorf("its version: %v", err)
		}
		if _, err := s.Draft(t.Context(), "card"); kind(err) != "template_not_found" {
			t.Errorf("its draft: %v", err)
		}
		if given := got(s.TemplateFile(t.Context(), "card"))(t); given != "" {
			t.Errorf("its file gave %s", given)
		}
		if v := got(s.PublishTemplate(t.Context(), card("three")))(t); v.Number != 1 {
			t.Errorf("another one of its name begins with version %d", v.Number)
		}
		if d := got(s.Draft(t.Context(), "card"))(t); d.Open || d.Revision != 1 {
			t.Errorf("and with the draft %+v", d)
		}
	},

	"DraftIsTheNewestVersionUntilItsFirstStep": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if _, err := s.Draft(t.Context(), "card"); kind(err) != "template_not_found" {
			t.Errorf("the draft of no template: %v", err)
		}
		step, source := edited("ada", "x")
		if _, err := s.AppendDraft(t.Context(), "card", 1, step, source, nil); kind(err) != "template_not_found" {
			t.Errorf("a step of no template: %v", err)
		}
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		d := got(s.Draft(t.Context(), "card"))(t)
		if d.Revision != 1 || d.Base != 1 || d.Open || string(d.Source) != "<p>one" || d.Assets["assets/a.png"] != "aa" {
			t.Errorf("before the first step it is %+v", d)
		}
		appended := mustAppend(t, s, 1, "ada", "two é")
		if appended.Revision != 2 || !appended.Open || appended.Author != "ada" || appended.UpdatedAt.IsZero() {
			t.Errorf("after the first step it is %+v", appended)
		}
		if diff := cmp.Diff(appended, got(s.Draft(t.Context(), "card"))(t)); diff != "" {
			t.Errorf("it is read otherwise (-appended +read):\n%s", diff)
		}
		if v := got(s.Template(t.Context(), "card", 0))(t); v.Number != 1 || string(v.Source) != "<p>one" {
			t.Errorf("a step of the draft made version %d", v.Number)
		}
	},

	"DraftKeepsItsStepsOverARestart": func(t *testing.T, open Open) {
		s := open(t)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		mustAppend(t, s, 1, "ada", "two")
		mustAppend(t, s, 2, "bob", "three")
		must(t, s.Close())
		s = newStore(t, open)
		first, _ := edited("ada", "two")
		second, _ := edited("bob", "three")
		first.Revision, second.Revision = 2, 3
		steps := got(s.DraftSteps(t.Context(), "card", 1))(t)
		if diff := cmp.Diff([]draft.Step{first, second}, steps, cmpopts.IgnoreFields(draft.Step{}, "At")); diff != "" {
			t.Errorf("the steps (-taken +read):\n%s", diff)
		}
		if behind := got(s.DraftSteps(t.Context(), "card", 2))(t); len(behind) != 1 || behind[0].Revision != 3 {
			t.Errorf("behind revision 2 are %+v", behind)
		}
		if d := got(s.Draft(t.Context(), "card"))(t); d.Revision != 3 || string(d.Source) != "<p>three" {
			t.Errorf("the draft is %+v", d)
		}
	},

	"OldStepsOfADraftAreNotKept": func(t *testing.T, open Open) {
		if campaign.Leaves(t) {
			t.Skip("a thousand commits")
		}
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		for i := range int64(1010) {
			mustAppend(t, s, i+1, "ada", fmt.Sprint(i))
		}
		if steps := got(s.DraftSteps(t.Context(), "card", 0))(t); len(steps) != 1000 || steps[0].Revision != 12 {
			t.Errorf("%d steps are kept, from revision %d", len(steps), steps[0].Revision)
		}
	},

	"StepOfAnotherRevisionIsRefused": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		mustAppend(t, s, 1, "ada", "two")
		step, source := edited("bob", "three")
		for _, revision := range []int64{1, 3} {
			if _, err := s.AppendDraft(t.Context(), "card", revision, step, source, nil); kind(err) != draft.StaleRevision || problem.CodeOf(err) != problem.Conflict {
				t.Errorf("a step on revision %d: %v", revision, err)
			}
		}
		if d := got(s.Draft(t.Context(), "card"))(t); d.Revision != 2 || string(d.Source) != "<p>two" {
			t.Errorf("a refused step left %+v", d)
		}
	},

	"OfStepsOnOneRevisionOneIsTaken": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		for revision := int64(1); revision < 4; revision++ {
			var taken atomic.Int64
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					step, source := edited("ada", fmt.Sprint(i))
					_, err := s.AppendDraft(t.Context(), "card", revision, step, source, nil)
					switch {
					case err == nil:
						taken.Add(1)
					case kind(err) != draft.StaleRevision:
						t.Errorf("a step that came late: %v", err)
					}
				})
			}
			wg.Wait()
			if taken.Load() != 1 {
				t.Errorf("%d steps were taken on revision %d", taken.Load(), revision)
			}
		}
	},

	"PublishedDraftIsAVersionAndItsRevisionGoesOn": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		mustAppend(t, s, 1, "ada", "two")
		if _, err := s.PublishDraft(t.Context(), "card", 1, "d-two", "", "bob"); kind(err) != draft.StaleRevision {
			t.Errorf("publishing a revision that is past: %v", err)
		}
		v := got(s.PublishDraft(t.Context(), "card", 2, "d-two", "", "bob"))(t)
		want := template.Version{Name: "card", Number: 2, Digest: "d-two", Source: []byte("<p>two"), Assets: map[string]string{"assets/a.png": "aa"}, Author: "bob"}
		if diff := cmp.Diff(want, got(s.Template(t.Context(), "card", 0))(t), cmpopts.IgnoreFields(template.Version{}, "CreatedAt")); diff != "" || v.Number != 2 {
			t.Errorf("published (-want +got):\n%s", diff)
		}
		d := got(s.Draft(t.Context(), "card"))(t)
		if d.Open || d.Revision != 3 || d.Base != 2 || string(d.Source) != "<p>two" {
			t.Errorf("after it was published the draft is %+v", d)
		}
		if again := got(s.PublishDraft(t.Context(), "card", 3, "d-two", "", "bob"))(t); again.Number != 2 {
			t.Errorf("nothing to publish became version %d", again.Number)
		}
		if steps := got(s.DraftSteps(t.Context(), "card", 2))(t); len(steps) != 1 || steps[0].Kind != draft.Publishes || len(steps[0].Touched) != 0 {
			t.Errorf("the steps since are %+v", steps)
		}
		mustAppend(t, s, 3, "ada", "three")
	},

	"VersionThatCameUnderADraftIsNotOverwrittenUnseen": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		mustAppend(t, s, 1, "ada", "two")
		got(s.PublishTemplate(t.Context(), card("other")))(t)
		if d := got(s.Draft(t.Context(), "card"))(t); d.Revision != 2 || d.Base != 1 || string(d.Source) != "<p>two" {
			t.Errorf("the version made of the open draft %+v", d)
		}
		for _, over := range []string{"", "d-one"} {
			if _, err := s.PublishDraft(t.Context(), "card", 2, "d-two", over, "ada"); kind(err) != draft.VersionMoved || problem.CodeOf(err) != problem.Conflict {
				t.Errorf("published over %q: %v", over, err)
			}
		}
		if v := got(s.PublishDraft(t.Context(), "card", 2, "d-two", "d-other", "ada"))(t); v.Number != 3 || string(v.Source) != "<p>two" {
			t.Errorf("published was %+v", v)
		}
	},

	"DiscardedDraftIsTheNewestVersion": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		if d := got(s.DiscardDraft(t.Context(), "card", 0, "ada"))(t); d.Revision != 1 {
			t.Errorf("nothing to discard became revision %d", d.Revision)
		}
		mustAppend(t, s, 1, "ada", "two")
		if _, err := s.DiscardDraft(t.Context(), "card", 1, "ada"); kind(err) != draft.StaleRevision {
			t.Errorf("discarding a revision that is past: %v", err)
		}
		got(s.PublishTemplate(t.Context(), card("other")))(t)
		d := got(s.DiscardDraft(t.Context(), "card", 2, "ada"))(t)
		if d.Open || d.Revision != 3 || d.Base != 2 || string(d.Source) != "<p>other" {
			t.Errorf("discarded it is %+v", d)
		}
		steps := got(s.DraftSteps(t.Context(), "card", 2))(t)
		if len(steps) != 1 || steps[0].Kind != draft.Discards || !cmp.Equal(steps[0].Touched, []string{draft.Everything}) {
			t.Errorf("the steps since are %+v", steps)
		}
	},

	"VersionChangesTheRevisionOfADraftThatIsNotOpen": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.PublishTemplate(t.Context(), card("one")))(t)
		mustAppend(t, s, 1, "ada", "two")
		got(s.PublishDraft(t.Context(), "card", 2, "d-two", "", "ada"))(t)
		got(s.TakeFile(t.Context(), card("three")))(t)
		d := got(s.Draft(t.Context(), "card"))(t)
		if d.Revision != 4 || d.Base != 3 || string(d.Source) != "<p>three" {
			t.Errorf("the draft is %+v", d)
		}
		steps := got(s.DraftSteps(t.Context(), "card", 3))(t)
		if len(steps) != 1 || steps[0].Kind != draft.Arrives || steps[0].Author != "file" {
			t.Errorf("the steps since are %+v", steps)
		}
		got(s.TakeFile(t.Context(), card("three")))(t)
		if d := got(s.Draft(t.Context(), "card"))(t); d.Revision != 4 {
			t.Errorf("the same version again made revision %d", d.Revision)
		}
	},

	"TemplateIsReplacedOnlyAtTheVersionThatWasSeen": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if _, err := s.ReplaceTemplate(t.Context(), card("one"), 3); kind(err) != draft.VersionMoved {
			t.Errorf("replaced a version that is not: %v", err)
		}
		got(s.ReplaceTemplate(t.Context(), card("one"), 0))(t)
		if _, err := s.ReplaceTemplate(t.Context(), card("two"), 0); kind(err) != draft.VersionMoved || !strings.Contains(err.Error(), "already") {
			t.Errorf("made it twice: %v", err)
		}
		for range 2 { // the second time because the first answer was lost
			if v := got(s.ReplaceTemplate(t.Context(), card("two"), 1))(t); v.Number != 2 {
				t.Errorf("replaced it became version %d", v.Number)
			}
		}
	},

	"FileIsRememberedWithTheVersionThatItGave": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if digest := got(s.TemplateFile(t.Context(), "card"))(t); digest != "" {
			t.Errorf("a file that never gave anything gave %q", digest)
		}
		got(s.TakeFile(t.Context(), card("one")))(t)
		got(s.PublishTemplate(t.Context(), card("two")))(t)
		if digest := got(s.TemplateFile(t.Context(), "card"))(t); digest != "d-one" {
			t.Errorf("the file gave %q", digest)
		}
		must(t, s.RememberFile(t.Context(), "card", "d-two"))
		if digest := got(s.TemplateFile(t.Context(), "card"))(t); digest != "d-two" {
			t.Errorf("the file was written as %q", digest)
		}
		// What it gave before is a version again, when it is another than the newest.
		if v := got(s.TakeFile(t.Context(), card("one")))(t); v.Number != 3 {
			t.Errorf("the file as it was became version %d", v.Number)
		}
	},

	"VersionsAreListedNewestFirstInPages": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for i := range 5 {
			got(s.PublishTemplate(t.Context(), card(fmt.Sprint(i))))(t)
		}
		numbers := func(all []template.Version) (n []int64) {
			for _, v := range all {
				n = append(n, v.Number)
				if len(v.Source) > 0 || v.Digest == "" || v.CreatedAt.IsZero() {
					t.Errorf("listed is %+v", v)
				}
			}
			return n
		}
		if n := numbers(got(s.TemplateVersions(t.Context(), "card", 0, 3))(t)); !cmp.Equal(n, []int64{5, 4, 3}) {
			t.Errorf("the first page is %v", n)
		}
		if n := numbers(got(s.TemplateVersions(t.Context(), "card", 3, 3))(t)); !cmp.Equal(n, []int64{2, 1}) {
			t.Errorf("the second page is %v", n)
		}
	},

	"ForeseenIsWhatReplanDoes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		two := func(key, text, other string) bindings.Proposal {
			return wantsOutputs(owner, key, "card="+text, "story="+other)
		}
		// Held is a new row of a reading that the guard did not let through.
		read(t, s, reading{seq: 1, rows: map[string]string{"held": "1"}, promote: true})
		read(t, s, reading{seq: 2, rows: map[string]string{"held": "2"}, judge: strict(0)})
		for _, p := range []bindings.Proposal{two("one", "1", "1"), two("same", "1", "1"), two("all", "1", "1"), two("back", "0", "1"),
			two("back", "1", "1"), two("gone", "1", "1"), two("bad", "1", "1"), two("twin", "1", "1")} {
			replan(t, s, p)
			draw(t, s)
		}
		fault := fails("bad", "missing_variable")
		proposals := []bindings.Proposal{
			two("one", "1", "2"),                        // one of both is made
			two("same", "1", "1"),                       // as it is
			two("all", "3", "3"), two("twin", "3", "3"), // both are made, once for both rows
			two("back", "0", "1"),                         // made before
			removes("gone"), fault, two("held", "5", "5"), // stay
			two("new", "6", "6"), // never seen
		}
		f := got(s.Foresee(t.Context(), "cards", proposals))(t)
		want := store.Foresight{
			Images: 1 + 2 + 2, Reused: 2 + 1, Unchanged: 1 + 2 + 1, Held: 2, Removed: 1, Failing: 1,
			FailingOf: []bindings.FailedRow{{Key: "bad", Problem: *fault.Problem}},
		}
		if diff := cmp.Diff(want, f); diff != "" {
			t.Errorf("foreseen (-want +got):\n%s", diff)
		}
		if again := got(s.Foresee(t.Context(), "cards", proposals))(t); !cmp.Equal(f, again) {
			t.Errorf("it was foreseen again as %+v", again)
		}
		got(s.Replan(t.Context(), "cards", proposals))(t)
		if drawn := draw(t, s); len(drawn) != f.Images {
			t.Errorf("%d pictures were made, foreseen were %d: %q", len(drawn), f.Images, drawn)
		}
		f = got(s.Foresee(t.Context(), "cards", proposals))(t)
		if f.Images != 0 || f.Reused != 0 || f.Failing != 0 || f.Removed != 0 {
			t.Errorf("after it was done it is foreseen once more: %+v", f)
		}
	},
}
