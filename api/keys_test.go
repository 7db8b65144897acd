package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/apikey"
)

type madeKey struct {
	Key string
	keyView
}

// mustMake makes a key over the API with the full key.
func mustMake(tb testing.TB, s *Server, order string) madeKey {
	tb.Helper()
	return mustAnswer[madeKey](tb, post("/keys", order).bearer(fullKey).to(tb, s), 201)
}

func revoke(name string) call {
	return call{method: http.MethodDelete, path: "/keys/" + name}.bearer(fullKey)
}

func TestMadeKeyOpensWhatItIsForAndIsShownOnce(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	made := mustMake(t, s, `{"name":"ci","scopes":["renders:write"],"templates":["tpl_certificate"],"rate":60,"quota":"1000/day"}`)
	if !strings.HasPrefix(made.Key, "pk_live_") || made.Start != made.Key[:len(made.Start)] || made.Source != "api" || made.Rate != 60 || made.Quota != "1000/day" {
		t.Errorf("made %+v", made)
	}
	if out := post(batchPath, `{"variables":[{}]}`).bearer(made.Key).to(t, s); out.Code != 202 {
		t.Errorf("a batch with it: status %d: %s", out.Code, out.Body)
	}
	mustProblem(t, get("/bindings").bearer(made.Key).to(t, s), 403, "scope_missing")
	mustProblem(t, get("/keys").bearer(made.Key).to(t, s), 403, "scope_missing")
	list := get("/keys").bearer(fullKey).to(t, s)
	if strings.Contains(list.Body.String(), made.Key) || strings.Contains(list.Body.String(), fullKey) {
		t.Errorf("the list shows a key: %s", list.Body)
	}
	kept, err := json.Marshal(w.kept)
	if err != nil || strings.Contains(string(kept), made.Key) || !strings.Contains(string(kept), apikey.Digest(made.Key)) {
		t.Errorf("kept is %s, %v", kept, err)
	}
	all := mustAnswer[struct{ Keys []keyView }](t, list, 200).Keys
	if len(all) != 2 || all[0].Name != "ci" || all[0].Spent != 1 || all[0].UsedAt.IsZero() || all[1].Source != "config" {
		t.Errorf("listed %+v", all)
	}
	if out := get("/jobs").bearer(made.Key).to(t, mustServer(t, locked(), w)); out.Code != 200 {
		t.Errorf("after a restart: status %d: %s", out.Code, out.Body)
	}
}

func TestOrdersOfKeysThatAreRefused(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(Key{Key: secret(fullKey)}, Key{Name: "yaml", Key: secret("key-of-the-configuration")},
		Key{Name: "cards", Key: secret("key-for-a-template-only"), Templates: []string{"card"}}), w)
	mustMake(t, s, `{"name":"taken"}`)
	for body, want := range map[string]struct {
		status int
		slug   string
	}{
		``:                               {422, "invalid"},
		`{}`:                             {422, "invalid"},
		`[]`:                             {400, "malformed_body"},
		`{"name":"a","x"`:                {400, "malformed_body"},
		`{"name":"a","scope":["admin"]}`: {400, "malformed_body"},
		`{"name":"a\u0007"}`:             {422, "invalid"},
		`{"name":"` + strings.Repeat("a", 101) + `"}`:                       {422, "invalid"},
		`{"name":"a","scopes":["root"]}`:                                    {422, "invalid"},
		`{"name":"a","templates":[""]}`:                                     {422, "invalid"},
		`{"name":"a","origins":["shop.example"]}`:                           {422, "invalid"},
		`{"name":"a","origins":["https://shop.example/"]}`:                  {422, "invalid"},
		`{"name":"a","origins":["https://Shop.example"]}`:                   {422, "invalid"},
		`{"name":"a","origins":["null"]}`:                                   {422, "invalid"},
		`{"name":"a","rate":-1}`:                                            {422, "invalid"},
		`{"name":"a","rate":1.5}`:                                           {400, "malformed_body"},
		`{"name":"a","quota":"10/week"}`:                                    {400, "malformed_body"},
		`{"name":"a","expiresAt":"2020-01-01T00:00:00Z"}`:                   {422, "invalid"},
		`{"name":"a","expiresAt":"tomorrow"}`:                               {400, "malformed_body"},
		`{"name":"taken"}`:                                                  {409, "key_name_taken"},
		`{"name":"yaml"}`:                                                   {409, "key_name_taken"},
		`{"name":"a","templates":["` + strings.Repeat(`a","`, 200) + `a"]}`: {422, "invalid"},
	} {
		mustProblem(t, post("/keys", body).bearer(fullKey).to(t, s), want.status, want.slug)
	}
	mustProblem(t, post("/keys", `{"name":"all"}`).bearer("key-for-a-template-only").to(t, s), 403, "scope_missing")
	if len(w.kept) != 1 {
		t.Errorf("kept are %v", w.kept)
	}
}

func TestSameRequestMakesOneKey(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	order := post("/keys", `{"name":"ci"}`).bearer(fullKey).with("Idempotency-Key", "1")
	first, again := order.to(t, s), order.to(t, s)
	if first.Code != 201 || first.Body.String() != again.Body.String() {
		t.Errorf("status %d and %d: %s", first.Code, again.Code, again.Body)
	}
}

func TestRevokedKeyStopsAtOnceAndItsSessionsWithIt(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	made := mustMake(t, s, `{"name":"ci"}`)
	out := post("/session", `{"key":"`+made.Key+`"}`).to(t, s)
	if out.Code != 204 {
		t.Fatalf("status %d", out.Code)
	}
	session := get("/jobs").with("Cookie", out.Result().Cookies()[0].String())
	if out := session.to(t, s); out.Code != 200 {
		t.Fatalf("the session: status %d", out.Code)
	}
	if out := revoke("ci").to(t, s); out.Code != 204 {
		t.Fatalf("status %d: %s", out.Code, out.Body)
	}
	mustProblem(t, get("/jobs").bearer(made.Key).to(t, s), 401, "invalid_api_key")
	mustProblem(t, session.to(t, s), 401, "missing_authorization")
	mustProblem(t, post("/session", `{"key":"`+made.Key+`"}`).to(t, s), 401, "invalid_api_key")
	mustProblem(t, get("/jobs").bearer(made.Key).to(t, mustServer(t, locked(), w)), 401, "invalid_api_key")
	mustProblem(t, revoke(made.ID).to(t, s), 404, "key_not_found")
	if again := mustMake(t, s, `{"name":"ci"}`); again.Key == made.Key || again.ID == made.ID {
		t.Errorf("the same key again: %+v", again)
	}
}

func TestStreamOfARevokedKeyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := mustServer(t, locked(), w)
		made := mustMake(t, s, `{"name":"ci"}`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil)
		r.Header.Set("Authorization", "Bearer "+made.Key)
		ended := make(chan struct{})
		go func() {
			s.ServeHTTP(httptest.NewRecorder(), r)
			close(ended)
		}()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("the stream ended by itself")
		default:
		}
		revoke("ci").to(t, s)
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("the stream goes on")
		}
	})
}

func TestStreamOfAKeyThatExpiresEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, locked(), newWorld())
		at := time.Now().Add(time.Minute)
		made := mustMake(t, s, fmt.Sprintf(`{"name":"ci","expiresAt":%q}`, at.Format(time.RFC3339)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil)
		r.Header.Set("Authorization", "Bearer "+made.Key)
		var ended time.Time
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeHTTP(httptest.NewRecorder(), r)
			ended = time.Now()
		}()
		time.Sleep(2 * time.Minute) // of the bubble's clock
		select {
		case <-done:
		default:
			t.Fatal("the stream goes on")
		}
		if !ended.Equal(at) {
			t.Errorf("the stream ended at %s, its key at %s", ended, at)
		}
	})
}

func TestKeyOfTheConfigurationIsNotRevoked(t *testing.T) {
	s := mustServer(t, locked(Key{Key: secret(fullKey)}, Key{Name: "ci", Key: secret("key-of-the-configuration")}), newWorld())
	for _, name := range []string{"ci", "config:ci", "keys[0]"} {
		mustProblem(t, revoke(name).to(t, s), 409, "key_in_configuration")
	}
	if out := get("/jobs").bearer("key-of-the-configuration").to(t, s); out.Code != 200 {
		t.Errorf("status %d", out.Code)
	}
}

func TestKeyExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, locked(), newWorld())
		made := mustMake(t, s, fmt.Sprintf(`{"name":"ci","expiresAt":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
		session := post("/session", `{"key":"`+made.Key+`"}`).to(t, s).Result().Cookies()[0].String()
		<-time.After(time.Hour - time.Second)
		if out := get("/jobs").bearer(made.Key).to(t, s); out.Code != 200 {
			t.Errorf("before: status %d", out.Code)
		}
		<-time.After(time.Second)
		mustProblem(t, get("/jobs").bearer(made.Key).to(t, s), 401, "invalid_api_key")
		mustProblem(t, get("/jobs").with("Cookie", session).to(t, s), 401, "missing_authorization")
	})
}

func TestWithoutConfiguredKeysMadeOnesCountWhereTheyAreSent(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	made := mustAnswer[madeKey](t, post("/keys", `{"name":"ci","scopes":["renders:read"]}`).to(t, s), 201)
	if out := get("/bindings").to(t, s); out.Code != 200 {
		t.Errorf("without it: status %d", out.Code)
	}
	mustProblem(t, get("/bindings").bearer(made.Key).to(t, s), 403, "scope_missing")
	if out := (call{method: http.MethodDelete, path: "/keys/ci"}).to(t, s); out.Code != 204 {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
	mustProblem(t, get("/jobs").bearer(made.Key).to(t, s), 401, "invalid_api_key")
	if out := get("/jobs").bearer("whatever else").to(t, s); out.Code != 200 {
		t.Errorf("a key that is none of ours: status %d", out.Code)
	}
}

func TestUsesAreNotedFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		s := mustServer(t, locked(Key{Name: "full", Key: secret(fullKey)}), w)
		made := mustMake(t, s, `{"name":"ci"}`)
		ctx, stop := context.WithCancel(t.Context())
		ended := s.noteUses(ctx)
		for range 100 {
			get("/jobs").bearer(made.Key).to(t, s)
			<-time.After(time.Second)
		}
		if noted, _ := w.notes(); noted != 0 {
			t.Errorf("noted %d times in 100 s", noted)
		}
		<-time.After(time.Hour)
		if noted, uses := w.notes(); noted != 1 || uses[made.ID].IsZero() || uses["config:full"].IsZero() {
			t.Errorf("noted %d times in an hour: %v", noted, uses)
		}
		get("/jobs").bearer(made.Key).to(t, s)
		last := time.Now()
		stop()
		ended()
		if noted, uses := w.notes(); noted != 2 || !uses[made.ID].Equal(last.Truncate(time.Second)) {
			t.Errorf("at the end noted %d times: %v, want %v", noted, uses, last)
		}
	})
}
