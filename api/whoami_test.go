package api

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
)

func TestSessionSaysWhoAsks(t *testing.T) {
	const narrow = "key-for-reading-bindings-of-one"
	s := mustServer(t, locked(Key{Key: config.NewSecret(fullKey)},
		Key{Name: "narrow", Key: config.NewSecret(narrow), Scopes: []Scope{BindingsWrite}, Templates: []string{testTemplate}}), newWorld())
	mustProblem(t, get("/session").to(t, s), http.StatusUnauthorized, slugNoKey)
	mustProblem(t, get("/session").bearer("wrong").to(t, s), http.StatusUnauthorized, slugBadKey)
	mustProblem(t, get("/session").with("Cookie", sessionCookie+"=zzzz.c2VjcmV0").to(t, s), http.StatusUnauthorized, slugNoKey)
	all := mustAnswer[sessionView](t, get("/session").bearer(fullKey).to(t, s), http.StatusOK)
	if !all.Keys || all.Via != viaKey || len(all.Scopes) != len(scopes) || len(all.Templates) != 0 || all.ExpiresAt != nil {
		t.Errorf("a key that opens everything is %+v", all)
	}
	one := mustAnswer[sessionView](t, get("/session").bearer(narrow).to(t, s), http.StatusOK)
	if one.Name != "narrow" || !slices.Equal(one.Scopes, []string{"bindings:read", "bindings:write"}) || !slices.Equal(one.Templates, []string{testTemplate}) {
		t.Errorf("a narrow key is %+v", one)
	}
	opened := mustAnswer[sessionView](t, get("/session").with("Cookie", mustSession(t, s).String()).to(t, s), http.StatusOK)
	if opened.Via != viaSession || opened.ExpiresAt == nil || time.Until(*opened.ExpiresAt) < sessionLife-time.Minute {
		t.Errorf("a session is %+v", opened)
	}
	free := mustAnswer[sessionView](t, get("/session").to(t, mustServer(t, open(), newWorld())), http.StatusOK)
	if free.Keys || free.Via != viaLocal || len(free.Scopes) != len(scopes) {
		t.Errorf("without keys it is %+v", free)
	}
}

// A cookie goes along with requests that other pages make a browser send: none of
// the methods that change something may work then, whatever the route.
func TestSessionIsNoUseToOtherPages(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	cookie := mustSession(t, s).String()
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		for name, headers := range map[string][2]string{
			"another site":           {"Sec-Fetch-Site", "cross-site"},
			"a neighbour":            {"Sec-Fetch-Site", "same-site"},
			"another origin":         {"Origin", "https://evil.example"},
			"an origin that is none": {"Origin", "null"},
		} {
			c := call{method: method, path: "/bindings/cards", body: "{}", host: "images.example"}.with("Cookie", cookie).with(headers[0], headers[1])
			if d := mustProblem(t, c.to(t, s), http.StatusForbidden, slugOrigin); d.Hint == "" {
				t.Errorf("%s by %s: no hint", method, name)
			}
		}
	}
	own := post("/bindings/cards/refresh", "{}").with("Cookie", cookie).with("Sec-Fetch-Site", "same-origin")
	if out := own.to(t, s); out.Code != http.StatusAccepted {
		t.Errorf("the page itself: status %d", out.Code)
	}
}
