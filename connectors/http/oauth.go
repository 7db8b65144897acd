package httppoll

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// TokenRefused is the slug of a token that could not be got.
const TokenRefused = "token_refused"

// tokens gets tokens, and keeps one until it expires or is refused.
type tokens struct {
	config clientcredentials.Config
	url    *url.URL
	client *http.Client

	mu   sync.Mutex
	kept *oauth2.Token
}

func newTokens(o *OAuth2, client *http.Client) (*tokens, error) {
	u, err := url.Parse(o.TokenURL)
	if err != nil {
		return nil, err
	}
	params := url.Values{}
	for name, value := range o.Params {
		params.Set(name, value.Reveal())
	}
	if o.Audience != "" {
		params.Set("audience", o.Audience)
	}
	return &tokens{url: u, client: client, config: clientcredentials.Config{
		ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(),
		TokenURL: o.TokenURL, Scopes: o.Scopes, EndpointParams: params,
	}}, nil
}

// get is a token that has not expired.
func (t *tokens) get(ctx context.Context, perHost int) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept.Valid() {
		return t.kept.AccessToken, nil
	}
	leave, err := allHosts.enter(ctx, t.url.Host, perHost)
	if err != nil {
		return "", err
	}
	defer leave()
	token, err := t.config.Token(context.WithValue(ctx, oauth2.HTTPClient, t.client))
	if err != nil {
		return "", fmt.Errorf("token of %s: %w", display(t.url), tokenError(err))
	}
	t.kept = token
	return token.AccessToken, nil
}

// refused drops a token that was not accepted.
func (t *tokens) refused(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept != nil && t.kept.AccessToken == token {
		t.kept = nil
	}
}

// tokenError says why there is no token, without what was sent or got for it.
func tokenError(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		var failed *url.Error
		if errors.As(err, &failed) {
			return transportError(err)
		}
		return problem.New(problem.Upstream, "the answer has no token").WithSlug(TokenRefused).
			WithHint("see that oauth2.token_url is that of the client credentials grant")
	}
	status := "no status"
	if refused.Response != nil {
		status = refused.Response.Status
	}
	code, reason := problem.Upstream, ""
	if refused.ErrorCode != "" { // RFC 6749 5.2
		code, reason = problem.Unauthorized, fmt.Sprintf(": %s", printable(strings.TrimSpace(refused.ErrorCode+" "+refused.ErrorDescription)))
	}
	failure := problem.New(code, "the answer is %s%s", status, reason).WithSlug(TokenRefused).
		WithHint("check oauth2: client_id, client_secret, scopes")
	if refused.Response != nil {
		if wait, ok := retryAfter(refused.Response); ok {
			return retry.After(failure, wait)
		}
	}
	return failure
}

// printable is the beginning of a text on one line.
func printable(text string) string {
	const most = 200
	text = strings.ToValidUTF8(text[:min(len(text), most)], "")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
}
