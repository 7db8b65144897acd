package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/internal/audit"
	"github.com/pictifyd/pictifyd/store"
)

var audits = map[string]func(*testing.T, Open){
	"AuditEntriesEndOnceAndAreFoundByWhatTheyTell": func(t *testing.T, open Open) {
		s := open(t)
		list := s.Audit()
		of := []audit.Entry{
			{Actor: "ci", Via: "key", Action: "PUT /sources/{name}", Kind: "source", Name: "shop", Before: "b1", Request: "req_1"},
			{Actor: "ada", Via: "session", Action: "DELETE /keys/{id}", Kind: "key", Name: "k1", Before: "b2", Request: "req_2"},
			{Actor: "ada", Via: "mcp", Action: "POST /sources", Kind: "source", Request: "req_3"},
		}
		for i := range of {
			of[i].ID = got(list.Begin(t.Context(), of[i]))(t)
		}
		must(t, list.End(t.Context(), of[0].ID, "shop", "a1", 200))
		must(t, list.End(t.Context(), of[0].ID, "other", "a2", 500)) // too late
		must(t, list.End(t.Context(), of[2].ID, "new", "a3", 201))
		must(t, s.Close())
		s = newStore(t, open)
		list = s.Audit()
		of[0].After, of[0].Status, of[2].Name, of[2].After, of[2].Status = "a1", 200, "new", "a3", 201
		for name, c := range map[string]struct {
			filter audit.Filter
			want   []audit.Entry
		}{
			"all":               {audit.Filter{}, of},
			"of an actor":       {audit.Filter{Actor: "ada"}, of[1:]},
			"of a kind":         {audit.Filter{Kind: "source"}, []audit.Entry{of[0], of[2]}},
			"of a thing":        {audit.Filter{Kind: "source", Name: "shop"}, of[:1]},
			"by way of":         {audit.Filter{Via: "mcp"}, of[2:]},
			"of an action":      {audit.Filter{Action: "DELETE /keys/{id}"}, of[1:2]},
			"before they began": {audit.Filter{Until: time.UnixMilli(1)}, nil},
			"since then":        {audit.Filter{Since: time.UnixMilli(1)}, of},
		} {
			c.filter.Limit = 10
			found := got(list.Entries(t.Context(), c.filter))(t)
			if diff := cmp.Diff(c.want, found, cmpopts.IgnoreFields(audit.Entry{}, "At"), cmpopts.EquateEmpty(), cmpopts.SortSlices(func(a, b audit.Entry) bool { return a.Request < b.Request })); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		seen := map[string]bool{}
		for after := ""; ; {
			page := got(list.Entries(t.Context(), audit.Filter{After: after, Limit: 2}))(t)
			for _, e := range page {
				if seen[e.ID] || after != "" && e.ID >= after {
					t.Errorf("%s comes behind %s", e.ID, after)
				}
				seen[e.ID] = true
			}
			if len(page) < 2 {
				break
			}
			after = page[1].ID
		}
		if len(seen) != 3 {
			t.Errorf("page by page there are %d entries, want 3", len(seen))
		}
		must(t, list.Expire(t.Context(), time.UnixMilli(0)))
		if left := got(list.Entries(t.Context(), audit.Filter{Limit: 10}))(t); len(left) != 3 {
			t.Errorf("kept for ever, %d are left", len(left))
		}
		must(t, list.Expire(t.Context(), time.Now().Add(time.Hour)))
		if left := got(list.Entries(t.Context(), audit.Filter{Limit: 10}))(t); len(left) != 0 {
			t.Errorf("kept until now, %d are left", len(left))
		}
	},
	"DigestsTellOneStateOfAThingFromAnother": func(t *testing.T, open Open) {
		s := newStore(t, open)
		digest := func(kind, name string) string { return got(s.Audit().Digest(t.Context(), kind, name))(t) }
		for _, kind := range []string{"source", "sink", "binding", "template", "key", "experiment", "subscription", "sweep"} {
			if got := digest(kind, "none"); got != "" {
				t.Errorf("what is not there has the digest %q as a %s", got, kind)
			}
		}
		must(t, s.SaveResources(t.Context(), []store.Resource{{Kind: "source", Name: "shop", Spec: `{"kind":"http"}`}}))
		first := digest("source", "shop")
		must(t, s.SaveResources(t.Context(), []store.Resource{{Kind: "source", Name: "shop", Revision: 1, Spec: `{"kind":"http","every":"1h"}`}}))
		if second := digest("source", "shop"); first == "" || second == "" || first == second || digest("sink", "shop") != "" {
			t.Errorf("before %q, afterwards %q", first, second)
		}
		k := newKey("shop")
		must(t, s.AddKey(t.Context(), k))
		if byID, byName := digest("key", k.ID), digest("key", k.Name); byID == "" || byID != byName {
			t.Errorf("the key's digest is %q by its id, %q by its name", byID, byName)
		}
	},
}
