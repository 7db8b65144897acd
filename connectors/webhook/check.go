package webhook

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // as a MAC it is unbroken, and some senders have no other
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/signing"
)

// A check is one way in which a sender proves who it is.
type check interface {
	// hopeful refuses by the headers alone what can't be good.
	hopeful(h http.Header, now time.Time) bool
	// proves judges the body as it was sent, of a call that was hopeful.
	proves(h http.Header, body []byte) bool
	// id is the header that names the message; "" where none does.
	id() string
}

// newCheck is the way that the configuration names.
func newCheck(c *Config) check {
	switch v := c.Verify; {
	case c.Secret != nil:
		return standard{c.Secret.Reveal()}
	case v.GitHub != nil:
		return signature{
			header: "X-Hub-Signature-256", prefix: "sha256=", decode: hex.DecodeString, newFunc: sha256.New,
			secrets: v.GitHub.Reveal(), idHeader: "X-GitHub-Delivery",
		}
	case v.Stripe != nil:
		return stripe{v.Stripe.Reveal()}
	case v.HMAC != nil:
		return signature{
			header: v.HMAC.Header, prefix: v.HMAC.Prefix, decode: encodings[v.HMAC.encoding()], newFunc: algorithms[v.HMAC.algorithm()],
			secrets: v.HMAC.Secret.Reveal(),
		}
	case v.Bearer != nil:
		return credentials{"Bearer", v.Bearer.Reveal()}
	case v.Basic != nil:
		var all []string
		for _, password := range v.Basic.Password.Reveal() {
			all = append(all, base64.StdEncoding.EncodeToString([]byte(v.Basic.User+":"+password)))
		}
		return credentials{"Basic", all}
	}
	return anybody{}
}

// standard is Standard Webhooks.
type standard struct{ secrets []string }

func (standard) hopeful(h http.Header, now time.Time) bool {
	return h.Get("webhook-id") != "" && signing.Fresh(h.Get("webhook-timestamp"), now) &&
		strings.Contains(h.Get("webhook-signature"), "v1,")
}

func (c standard) proves(h http.Header, body []byte) bool {
	return signing.VerifyWebhook(h, body, c.secrets...)
}

func (standard) id() string { return "webhook-id" }

var (
	algorithms = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New}
	encodings  = map[string]func(string) ([]byte, error){"hex": hex.DecodeString, "base64": base64.StdEncoding.DecodeString}
)

// signature is an HMAC of the body in a header.
type signature struct {
	header, prefix string
	decode         func(string) ([]byte, error)
	newFunc        func() hash.Hash
	secrets        []string
	idHeader       string
}

// given is the signature that a call brings.
func (c signature) given(h http.Header) ([]byte, bool) {
	text, ok := strings.CutPrefix(h.Get(c.header), c.prefix)
	if !ok {
		return nil, false
	}
	mac, err := c.decode(text)
	return mac, err == nil && len(mac) == c.newFunc().Size()
}

func (c signature) hopeful(h http.Header, _ time.Time) bool {
	_, ok := c.given(h)
	return ok
}

func (c signature) proves(h http.Header, body []byte) bool {
	given, _ := c.given(h)
	return c.made(given, body)
}

// made reports whether one of the secrets made the MAC of text.
func (c signature) made(given, text []byte) bool {
	valid := false
	for _, secret := range c.secrets {
		mac := hmac.New(c.newFunc, []byte(secret))
		mac.Write(text)
		match := hmac.Equal(given, mac.Sum(nil))
		valid = valid || match
	}
	return valid
}

func (c signature) id() string { return c.idHeader }

// stripe is a header with a time and signatures of it and the body.
type stripe struct{ secrets []string }

const stripeHeader = "Stripe-Signature"

// parts are the time and the signatures of a header "t=…,v1=…,v1=…,v0=…". Other
// schemes are passed over: who may choose one may choose the weakest.
func (stripe) parts(h http.Header) (sent string, signatures [][]byte) {
	for part := range strings.SplitSeq(h.Get(stripeHeader), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			sent = value
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, mac)
			}
		}
	}
	return sent, signatures
}

func (c stripe) hopeful(h http.Header, now time.Time) bool {
	sent, signatures := c.parts(h)
	return signing.Fresh(sent, now) && len(signatures) > 0
}

func (c stripe) proves(h http.Header, body []byte) bool {
	sent, signatures := c.parts(h)
	mac := signature{newFunc: sha256.New, secrets: c.secrets}
	text := append([]byte(sent+"."), body...)
	valid := false
	for _, given := range signatures {
		match := mac.made(given, text)
		valid = valid || match
	}
	return valid
}

func (stripe) id() string { return "" } // the body has it

// credentials are what the header Authorization has.
type credentials struct {
	scheme string
	good   []string
}

func (c credentials) hopeful(h http.Header, _ time.Time) bool {
	scheme, text, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, c.scheme) {
		return false
	}
	given := sha256.Sum256([]byte(strings.TrimSpace(text))) // so that the length tells nothing
	valid := false
	for _, one := range c.good {
		want := sha256.Sum256([]byte(one))
		match := hmac.Equal(given[:], want[:])
		valid = valid || match
	}
	return valid
}

func (credentials) proves(http.Header, []byte) bool { return true }
func (credentials) id() string                      { return "" }

// anybody is no check.
type anybody struct{}

func (anybody) hopeful(http.Header, time.Time) bool { return true }
func (anybody) proves(http.Header, []byte) bool     { return true }
func (anybody) id() string                          { return "" }
