package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// sessionWith is the request with a session of the key.
func sessionWith(tb testing.TB, s *Server, key string) call {
	tb.Helper()
	out := post("/session", `{"key":"`+key+`"}`).to(tb, s)
	cookies := out.Result().Cookies()
	if out.Code != http.StatusNoContent || len(cookies) != 1 {
		tb.Fatalf("status %d, %d cookies: %s", out.Code, len(cookies), out.Body)
	}
	return get("/jobs").with("Cookie", cookies[0].Name+"="+cookies[0].Value)
}

// A copy of the store has the digests of the keys that were made, and nothing that
// is configured.
func TestCopyOfTheStoreMakesNoSession(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	made := mustMake(t, s, `{"name":"ci","scopes":["admin"]}`)
	digest, err := hex.DecodeString(w.kept[made.ID].Digest)
	if err != nil || len(digest) != sha256.Size {
		t.Fatalf("digest %x, %v", digest, err)
	}
	until := strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 36)
	for name, key := range map[string][]byte{"the digest": digest, "twice": append(digest[:32:32], digest...), "and nothing": append(digest[:32:32], make([]byte, 32)...)} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("pictifyd session\x00" + until))
		forged := until + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		if out := get("/jobs").with("Cookie", sessionCookie+"="+forged).to(t, s); out.Code != 401 {
			t.Errorf("%s: status %d", name, out.Code)
		}
	}
}

func TestSessionOfAMadeKeyOutlivesARestartAndAChangeOfKeys(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	made := mustMake(t, s, `{"name":"ci","scopes":["admin"]}`)
	asks := sessionWith(t, s, made.Key)
	if out := asks.to(t, s); out.Code != 200 {
		t.Fatalf("status %d: %s", out.Code, out.Body)
	}
	if out := asks.to(t, mustServer(t, locked(), w)); out.Code != 200 {
		t.Errorf("after a restart: status %d: %s", out.Code, out.Body)
	}
	next := locked()
	next.Keys = append([]Key{{Name: "next", Key: secret("the-key-that-follows-it")}}, next.Keys...)
	s.SetKeys(next)
	if out := asks.to(t, s); out.Code != 200 {
		t.Errorf("with a new first key: status %d: %s", out.Code, out.Body)
	}
	later := sessionWith(t, s, made.Key)
	next.Keys = next.Keys[:1]
	s.SetKeys(next)
	mustProblem(t, asks.to(t, s), 401, "missing_authorization")
	if out := later.to(t, s); out.Code != 200 {
		t.Errorf("made with the new one: status %d: %s", out.Code, out.Body)
	}
}
