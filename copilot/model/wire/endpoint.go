package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Endpoint is who is asked, as its errors name it.
type Endpoint struct {
	Name  string // as pictifyd.yaml calls the model
	URL   string
	Model string // as the endpoint calls it
	Key   string // that no error has in it; "" for none
}

// Check refuses what no request could be made of.
func (e Endpoint) Check() error {
	var list problem.List
	u, err := url.Parse(e.URL)
	switch { // err would show the URL, and with it what may be a secret
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		list = append(list, problem.New(problem.Invalid, "has to be the http or https address of an endpoint").At(e.path("url")).
			WithHint("for example http://127.0.0.1:11434/v1"))
	case u.User != nil:
		list = append(list, problem.New(problem.Invalid, "has a user in it").At(e.path("url")).WithHint("set key"))
	}
	if e.Model == "" {
		list = append(list, problem.New(problem.Invalid, "is missing").At(e.path("model")).
			WithHint("name the model as the endpoint does"))
	}
	if strings.ContainsFunc(e.Key, unicode.IsControl) {
		list = append(list, problem.New(problem.Invalid, "has a line break or another control character in it").At(e.path("key")))
	}
	return list.Err()
}

func (e Endpoint) path(setting string) string {
	return fmt.Sprintf("copilot.models[%s].%s", e.Name, setting)
}

func (e Endpoint) host() string {
	if u, err := url.Parse(e.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return "the endpoint"
}

func (e Endpoint) local() bool {
	u, err := url.Parse(e.URL)
	return err == nil && (u.Port() == "11434" || strings.Contains(u.Hostname(), "ollama"))
}

// shortKey is how short a key may be and still be a word like any other: local
// servers take "none", and texts are full of it.
const shortKey = 8

// Scrub is text that came from elsewhere as an error may show it: without the
// key, on one line, and not long.
func (e Endpoint) Scrub(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(e.Key) >= shortKey {
		text = strings.NewReplacer(e.Key, "***", url.QueryEscape(e.Key), "***", url.PathEscape(e.Key), "***").Replace(text)
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	const most = 300
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return text
}

// Unreached is what it means that no answer came: err is of the request itself.
func (e Endpoint) Unreached(ctx context.Context, err error) error {
	if ended := e.ended(ctx, err); ended != nil {
		return ended
	}
	if errors.Is(err, ErrSilent) {
		return problem.New(problem.Overloaded, "model %q at %s did not begin to answer in time", e.Name, e.host()).
			WithHint("a model that is being loaded answers later; see the log of the endpoint")
	}
	// The error of the client shows the URL with its query, so its innermost part alone is told.
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	p := problem.New(problem.Surroundings, "model %q: nobody answers at %s: %s", e.Name, e.host(), e.Scrub(err.Error())).At(e.path("url"))
	if e.local() {
		return p.WithHint("is Ollama running? `ollama serve` starts it")
	}
	return p.WithHint("start the endpoint, or mend the address")
}

// Broken is what it means that an answer broke off: err is of its body.
func (e Endpoint) Broken(ctx context.Context, err error) error {
	if ended := e.ended(ctx, err); ended != nil {
		return ended
	}
	switch {
	case errors.Is(err, ErrSilent):
		return e.CutOff("it fell silent in the middle of it")
	case errors.Is(err, ErrTooLarge):
		return e.Runaway()
	}
	return e.CutOff(e.Scrub(err.Error()))
}

// ended is the error of whoever wanted the answer no more, nil while he does.
func (e Endpoint) ended(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case errors.Is(cause, context.DeadlineExceeded), cause == nil && errors.Is(err, context.DeadlineExceeded):
		return problem.New(problem.Timeout, "model %q did not answer in time: %w", e.Name, context.DeadlineExceeded)
	case cause != nil:
		return fmt.Errorf("ask model %q: %w", e.Name, cause)
	}
	return nil
}

// Status is what it means that an endpoint answers anything but 200.
func (e Endpoint) Status(status int, header http.Header, body []byte) error {
	if status >= 300 && status < 400 {
		return e.unsupported("redirects elsewhere, which is not followed").At(e.path("url")).
			WithHint("set the address that it redirects to: %s", e.Scrub(header.Get("Location")))
	}
	return e.Fault(status, header, ReadFault(body))
}
