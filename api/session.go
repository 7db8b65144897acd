package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	sessionCookie = "pictifyd_session"
	sessionLife   = 7 * 24 * time.Hour
	maxKeyBody    = 4 << 10
)

// A session is a cookie that stands for one of the keys: "expiry.MAC", where
// the MAC is made with the key's digest. It needs no memory, so that every
// process knows it and a restart keeps it; it dies with its key.
//
// The digests of keys that were made are in the store. Whoever has a copy of it
// must not be able to make a session: the MAC of such a key needs the digest of a
// configured key beside, which is nowhere kept.

// sessionValue is a new session of p.
func (ring *keyring) sessionValue(p *principal, expires time.Time) string {
	until := strconv.FormatInt(expires.Unix(), 36)
	return until + "." + base64.RawURLEncoding.EncodeToString(sessionMAC(p, ring.vouchers(p)[0], until))
}

// vouches reports whether sent is the MAC of a session of p. Any configured key
// will do, so that another one may take the first one's place.
func (ring *keyring) vouches(p *principal, sent []byte, until string) bool {
	return slices.ContainsFunc(ring.vouchers(p), func(voucher []byte) bool {
		return hmac.Equal(sent, sessionMAC(p, voucher, until))
	})
}

// vouchers are what a session of p needs beside its digest: one of these. There
// is always one.
func (ring *keyring) vouchers(p *principal) [][]byte {
	if configured := ring.known.Load().configured; p.kept != nil && len(configured) > 0 {
		return configured
	}
	return [][]byte{nil} // p is configured itself, or nobody needs a key here
}

func sessionMAC(p *principal, voucher []byte, until string) []byte {
	mac := hmac.New(sha256.New, append(p.digest[:], voucher...))
	mac.Write([]byte("pictifyd session\x00" + until))
	return mac.Sum(nil)
}

// sessionOf is the key for which r's session stands.
func (s *Server) sessionOf(r *http.Request) (*principal, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, false
	}
	until, text, _ := strings.Cut(cookie.Value, ".")
	sent, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	expires, err := strconv.ParseInt(until, 36, 64)
	if err != nil || !time.Now().Before(time.Unix(expires, 0)) {
		return nil, false
	}
	for p := range s.keys.all() {
		if s.keys.vouches(p, sent, until) {
			return p, !p.ended()
		}
	}
	return nil, false
}

// openSession turns a key into a session. A form is sent on to the page that was
// asked for, so that the field works without a script.
func (s *Server) openSession(w http.ResponseWriter, r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(w, r.Body, maxKeyBody)
	form := kind == "application/x-www-form-urlencoded"
	var key, to string
	if form {
		key, to = r.PostFormValue("key"), ownPage(r.PostFormValue("to"))
	} else {
		var body struct {
			Key string `json:"key"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			return problem.New(problem.Invalid, "the body is not JSON of the form {\"key\": \"…\"}").WithSlug(slugMalformed)
		}
		key = body.Key
	}
	key = strings.TrimSpace(key)
	p, ok := s.keys.find(key)
	if s.keys.guarded {
		if err := s.guesses.judge(r, key, ok); err != nil {
			return err
		}
	}
	ok = ok && !p.ended()
	if !ok && s.keys.guarded {
		if form {
			http.Redirect(w, r, to+"#refused", http.StatusSeeOther)
			return nil
		}
		return unknownKey().WithHint("use one of server.keys, or one that pictifyd keys new made")
	}
	if ok {
		expires := time.Now().Add(sessionLife)
		http.SetCookie(w, s.cookie(r, s.keys.sessionValue(p, expires), int(sessionLife/time.Second)))
	}
	if form {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// closeSession makes the browser forget its session.
func (s *Server) closeSession(w http.ResponseWriter, r *http.Request) error {
	http.SetCookie(w, s.cookie(r, "", -1))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) cookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: sessionCookie, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Secure: isSecure(r) || strings.HasPrefix(s.base, "https://"),
	}
}
