package httpsink

import (
	"net/url"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/urlpath"
	"github.com/pictifyd/pictifyd/sink/paths"
)

// AddressRefused is the slug of an address that a row's values make impossible.
// It is that of files and objects: address_refused is an address that callers may
// not reach.
const AddressRefused = paths.Refused

// An address is a Request.URL, in two parts, as a value is encoded otherwise in each.
type address struct {
	base   *expr.Interpolation // up to its query
	search *expr.Interpolation // its query
}

// address compiles a URL. No expression stands in its host.
func (w *writer) address(path, text string) address {
	a := address{&expr.Interpolation{}, &expr.Interpolation{}}
	base, search := cutQuery(text)
	origin, _, templated := strings.Cut(base, "{{")
	u, err := url.Parse(sketch(text))
	switch {
	case text == "":
		w.bad(path, problem.New(problem.Invalid, "is missing"))
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		// The address may hold a secret, so that it is not repeated here.
		w.bad(path, problem.New(problem.Invalid, "is not an http or https address").WithHint(`as in "https://crm.example/contacts/{{ key }}"`))
	case u.User != nil:
		w.bad(path, problem.New(problem.Invalid, "has a user in it").WithHint("write basic: { user: …, password: … }"))
	case templated && len(strings.SplitN(origin, "/", 4)) < 4:
		w.bad(path, problem.New(problem.Invalid, "an expression stands in its host").WithHint("write the host out: only what follows it may hang on a row"))
	default:
		a.base, a.search = w.text(path, base), w.text(path, search)
	}
	return a
}

// cutQuery cuts an address at the first question mark outside of expressions.
func cutQuery(text string) (base, query string) {
	inside := false
	for i := range len(text) {
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "{{"):
			inside = true
		case strings.HasPrefix(rest, "}}"):
			inside = false
		case !inside && rest[0] == '#': // a fragment is never sent
			return text[:i], ""
		case !inside && rest[0] == '?':
			query, _, _ = strings.Cut(text[i+1:], "#")
			return text[:i], query
		}
	}
	return text, ""
}

// sketch is an address with something in the place of its expressions.
func sketch(text string) string {
	in, err := expr.ParseInterpolation(text, expr.Options{})
	if err != nil {
		return text
	}
	return in.Sketch("x")
}

// static reports whether it is the same for every row.
func (a address) static() bool { return a.base.Static() }

// fill is the address for these values. One of them is one part of the path and
// cannot lead out of it: not as it stands, and not for a server that decodes it
// once more. latest_path alone is several.
func (a address) fill(w *filler) *url.URL {
	base := w.text("url", a.base, func(value string) string {
		if value != "" && value == w.values["latest_path"] {
			return value
		}
		return url.PathEscape(value)
	})
	search := w.text("url", a.search, url.QueryEscape)
	u, err := url.Parse(base)
	switch {
	case err != nil:
		w.fail(invalid("url", "is not an address once its expressions are filled in"))
		return &url.URL{}
	case !a.static() && urlpath.Climbs(u.EscapedPath()):
		w.fail(retry.Permanent(problem.New(problem.Invalid, "a value with . or .. for a part of the path would lead to another address").
			At("url").WithSlug(AddressRefused)))
	}
	u.RawQuery = strings.Trim(u.RawQuery+"&"+search, "&")
	return u
}
