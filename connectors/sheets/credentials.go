package sheets

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"sync"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	scopeWrite  = "https://www.googleapis.com/auth/spreadsheets"
	scopeSheets = scopeWrite + ".readonly"
	scopeDrive  = "https://www.googleapis.com/auth/drive.metadata.readonly"
)

// scopeOf is what a client needs.
func scopeOf(writes bool) string {
	if writes {
		return scopeWrite
	}
	return scopeSheets
}

// A keyFile is what has to be known of Google's key files.
type keyFile struct {
	Type     string `json:"type"`
	Email    string `json:"client_email"`
	Project  string `json:"project_id"`
	TokenURI string `json:"token_uri"`
	Key      string `json:"private_key"`
}

// parseCredentials reads a key file. Its problems repeat nothing of it.
func parseCredentials(text string) (keyFile, *problem.Error) {
	const hint = "make a JSON key for the service account in the Google Cloud console, and name its file: credentials_file: sa.json"
	var key keyFile
	if json.Unmarshal([]byte(text), &key) != nil {
		return key, problem.New(problem.Invalid, "is not the JSON of a Google key file").WithHint(hint)
	}
	switch {
	case key.Type == "":
		return key, problem.New(problem.Invalid, `is JSON, but no Google key file: it has no "type"`).WithHint(hint)
	case key.Type == "service_account" && (key.Email == "" || key.Key == ""):
		return key, problem.New(problem.Invalid, "is a service account without client_email or private_key").WithHint(hint)
	case key.Type == "service_account" && !readable(key.Key):
		return key, problem.New(problem.Invalid, "has a private_key that is none").WithHint("use the file as it was downloaded")
	}
	if u, err := url.Parse(key.TokenURI); key.TokenURI != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return key, problem.New(problem.Invalid, "its token_uri is not an http or https address").WithHint(hint)
	}
	return key, nil
}

// readable reports whether text is a private key in PEM.
func readable(text string) bool {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return false
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return true
	}
	_, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	return err == nil
}

// tokens gives access tokens, each as long as it is good.
type tokens struct {
	open func() (*auth.Credentials, error)

	mu    sync.Mutex
	creds *auth.Credentials
}

// get is a token. One that was refused, though its time is not over, is not
// given again.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range 2 {
		if t.creds == nil {
			creds, err := t.open()
			if err != nil {
				return "", noCredentials(err)
			}
			t.creds = creds
		}
		token, err := t.creds.Token(ctx)
		if err != nil {
			return "", noToken(err)
		}
		if token.Value != refused {
			return token.Value, nil
		}
		t.creds = nil
	}
	return refused, nil
}

func noCredentials(err error) error {
	return problem.New(problem.Unauthorized, "there are no usable Google credentials: %w", err).WithSlug("no_credentials").
		WithHint("set credentials_file to a service account's key, or api_key, or run: gcloud auth application-default login")
}

// noToken says why there is no token, without what the answer may repeat of the
// credentials.
func noToken(err error) error {
	var refused *auth.Error
	if !errors.As(err, &refused) {
		return transportError(err)
	}
	if refused.Response != nil && refused.Response.StatusCode >= 500 {
		return problem.New(problem.Upstream, "Google gives no token now: %s", refused.Response.Status)
	}
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(refused.Body, &said) // a page is not repeated
	return problem.New(problem.Unauthorized, "Google refuses the credentials: %s %s", said.Error, said.Description).WithSlug("bad_credentials").
		WithHint("see that the key was not deleted and that this machine's clock is right, else make a new key")
}

// openTokens is a way to tokens by the key file that text is; "" is the machine's
// own credentials.
func openTokens(text string, scopes []string, client *http.Client) *tokens {
	// The library would print tokens where the environment asks it for its log.
	options := &credentials.DetectOptions{Scopes: scopes, Client: client, Logger: slog.New(slog.DiscardHandler)}
	return &tokens{open: func() (*auth.Credentials, error) {
		if text == "" {
			return credentials.DetectDefault(options)
		}
		key, err := parseCredentials(text)
		if err != nil {
			return nil, err
		}
		return credentials.NewCredentialsFromJSON(credentials.CredType(key.Type), []byte(text), options)
	}}
}
