package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var reseals = map[string]func(*testing.T, Open){
	"WhatIsSealedIsSealedAnewOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SaveResources(t.Context(), []store.Resource{
			{Kind: "source", Name: "shop", Spec: `{}`, Secrets: map[string]string{"bearer": "old:1", "basic.password": "new:2"}},
			{Kind: "sink", Name: "hook", Spec: `{}`, Secrets: map[string]string{"secret": "lost:3"}},
		}))
		_, _, err := s.AddSubscription(t.Context(), sink.Subscription{ID: "sub_1", Events: []string{"render.completed"}, URL: "https://a.example", Owner: "me", Secret: "old:4", Previous: "old:5"},
			store.SubscriptionLimit{Total: 9, PerKey: 9})
		must(t, err)
		must(t, s.HoldStream(t.Context(), store.StreamHold{Source: "cdc", Digest: "d", Spec: "old:6"}))
		asked := map[string]bool{}
		anew := func(where, sealed string) (string, error) {
			asked[where+" "+sealed] = true
			rest, old := strings.CutPrefix(sealed, "old:")
			switch {
			case old:
				return "new:" + rest, nil
			case strings.HasPrefix(sealed, "new:"):
				return sealed, nil
			}
			return "", errors.New("cannot be opened")
		}
		renewal := store.Renewal{
			ResourceFunc:     func(kind, name, path, sealed string) (string, error) { return anew(kind+"/"+name+" "+path, sealed) },
			SubscriptionFunc: anew,
			HoldFunc:         anew,
		}
		if n := got(s.Reseal(t.Context(), renewal))(t); n != 3 {
			t.Errorf("%d rows were sealed anew, want 3", n)
		}
		for _, where := range []string{"source/shop bearer old:1", "sub_1 old:4", "cdc old:6"} {
			if !asked[where] {
				t.Errorf("it was not asked about %s, but %v", where, asked)
			}
		}
		resources := got(s.Resources(t.Context()))(t)
		if resources[0].Secrets["secret"] != "lost:3" || resources[1].Secrets["bearer"] != "new:1" || resources[1].Secrets["basic.password"] != "new:2" || resources[1].Revision != 1 {
			t.Errorf("the resources are %+v", resources)
		}
		if one := s.Subscriptions()[0]; one.Secret != "new:4" {
			t.Errorf("the subscription is %+v", one)
		}
		if holds := got(s.StreamHolds(t.Context()))(t); len(holds) != 1 || holds[0].Spec != "new:6" {
			t.Errorf("the holds are %+v", holds)
		}
		if n := got(s.Reseal(t.Context(), renewal))(t); n != 0 {
			t.Errorf("%d rows were sealed anew again", n)
		}
	},
}
