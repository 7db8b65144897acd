package webhook

import (
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
)

// Verify is the ways beside Standard Webhooks in which a sender proves who it
// is. One of them is used.
type Verify struct {
	GitHub config.Secrets `yaml:"github"` // X-Hub-Signature-256
	Stripe config.Secrets `yaml:"stripe"` // Stripe-Signature
	Bearer config.Secrets `yaml:"bearer"` // Authorization: Bearer …
	Basic  *Basic         `yaml:"basic"`
	HMAC   *HMAC          `yaml:"hmac"`
}

// Basic is a user and a password.
type Basic struct {
	User     string         `yaml:"user"`
	Password config.Secrets `yaml:"password"`
}

// HMAC is a signature of the body in a header.
type HMAC struct {
	Header    string         `yaml:"header"`
	Secret    config.Secrets `yaml:"secret"`
	Algorithm string         `yaml:"algorithm"` // sha256, sha512, sha1; empty is sha256
	Encoding  string         `yaml:"encoding"`  // hex, base64; empty is hex
	Prefix    string         `yaml:"prefix"`    // before the signature: "sha256="
}

// minSecret is a length below which secrets are guessed.
const minSecret = 8

// checks are the problems of what says who may call.
func (c *Config) checks() problem.List {
	var list problem.List
	var given []string
	secrets := func(path string, some config.Secrets) {
		if some != nil {
			given = append(given, path)
			list = append(list, checkSecrets(path, some)...)
		}
	}
	secrets("secret", c.Secret)
	for i, s := range c.Secret.Reveal() {
		if err := signing.CheckSecret(s); err != nil {
			list = append(list, problem.New(problem.Invalid, "secret %d: %w", i+1, err).At("secret"))
		}
	}
	secrets("verify.github", c.Verify.GitHub)
	secrets("verify.stripe", c.Verify.Stripe)
	secrets("verify.bearer", c.Verify.Bearer)
	if b := c.Verify.Basic; b != nil {
		given = append(given, "verify.basic")
		list = append(list, checkSecrets("verify.basic.password", b.Password)...)
		if b.User == "" || strings.Contains(b.User, ":") {
			list = append(list, problem.New(problem.Invalid, "wants a name without a colon").At("verify.basic.user"))
		}
	}
	if h := c.Verify.HMAC; h != nil {
		given = append(given, "verify.hmac")
		list = append(list, h.problems()...)
	}
	if c.Open {
		given = append(given, "open")
	}
	switch len(given) {
	case 1:
	case 0:
		list = append(list, problem.New(problem.Invalid, "nothing says who may call POST /hooks/%s", c.Path).WithSlug("hook_unguarded").
			WithHint("give the secret of the sender as secret, or another way under verify: github, stripe, hmac, bearer, basic"))
	default:
		list = append(list, problem.New(problem.Invalid, "%s are several ways to say who may call", strings.Join(given, " and ")).At(given[1]).
			WithHint("keep one of them; a source with another path can have the other"))
	}
	return list
}

func checkSecrets(path string, secrets config.Secrets) (list problem.List) {
	if len(secrets) == 0 {
		return problem.List{problem.New(problem.Invalid, "there is no secret in it").At(path)}
	}
	for _, s := range secrets {
		if n := len(s.Reveal()); n < minSecret {
			return problem.List{problem.New(problem.Invalid, "a secret has %d characters, fewer than %d", n, minSecret).At(path).
				WithHint("make one with: openssl rand -hex 32")}
		}
	}
	return nil
}

func (h *HMAC) problems() problem.List {
	list := checkSecrets("verify.hmac.secret", h.Secret)
	bad := func(path, format string, args ...any) {
		list = append(list, problem.New(problem.Invalid, format, args...).At("verify.hmac."+path))
	}
	if !httpguts.ValidHeaderFieldName(h.Header) {
		bad("header", "%q is not the name of a header", h.Header)
	}
	if _, ok := algorithms[h.algorithm()]; !ok {
		bad("algorithm", "%q is none of sha256, sha512, sha1", h.Algorithm)
	}
	if _, ok := encodings[h.encoding()]; !ok {
		bad("encoding", "%q is neither hex nor base64", h.Encoding)
	}
	return list
}

func (h *HMAC) algorithm() string {
	if h.Algorithm == "" {
		return "sha256"
	}
	return h.Algorithm
}

func (h *HMAC) encoding() string {
	if h.Encoding == "" {
		return "hex"
	}
	return h.Encoding
}
