package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// anyOrigin among origins lets pages of every origin use a key.
const anyOrigin = "*"

// exposed are the headers of answers that scripts of other origins may read.
var exposed = []string{
	"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "X-Request-Id", "ETag", "Location", "Content-Disposition",
}

var exposedText = strings.Join(exposed, ", ")

// A corsRule says which pages of other origins may read answers. None may with a
// session: a cookie goes along with what its owner did not ask for. Pages send
// a key.
type corsRule struct {
	api    *cors.Cors
	images *cors.Cors
	events *cors.Cors
}

func newCORSRule(keys *keyring) *corsRule {
	o := cors.Options{
		AllowOriginFunc: keys.trusts, AllowedMethods: append(slices.Clone(methods), http.MethodHead), ExposedHeaders: exposed, MaxAge: 2 * 60 * 60,
		AllowedHeaders: []string{
			"Accept", "Authorization", "Content-Encoding", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID", "Range",
			"Mcp-Protocol-Version", "Mcp-Session-Id", "Mcp-Method", "Mcp-Name",
		},
	}
	rule := &corsRule{api: cors.New(o)}
	o.AllowOriginFunc, o.AllowedOrigins, o.AllowedMethods = nil, []string{anyOrigin}, []string{http.MethodGet, http.MethodHead}
	rule.images = cors.New(o)
	o.AllowedMethods, o.AllowedHeaders = []string{http.MethodPost}, []string{"Content-Type", "Idempotency-Key", writeKey}
	rule.events = cors.New(o)
	return rule
}

// answer answers a browser that asks before it sends, and else says who may read
// the answer to r. Handlers of images say it themselves.
func (c *corsRule) answer(w *response, r *http.Request) (done bool) {
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if preflight {
		w.route = "OPTIONS"
	}
	switch images := ofImages(r.URL.Path); {
	case r.URL.Path == eventsPath: // from pages of every origin: their key is theirs
		c.events.HandlerFunc(w, r)
	case images && preflight:
		c.images.HandlerFunc(w, r)
	case !images:
		c.api.HandlerFunc(w, r)
	}
	return preflight
}

func ofImages(path string) bool {
	return slices.ContainsFunc([]string{"/images/", "/b/", "/i/", "/s/"}, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// openToAll lets pages of every origin show and read what needs no key. It does
// not depend on who asks, so that what a CDN keeps serves everybody.
func openToAll(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", exposedText)
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
}

// forHolder lets nobody show or read what was got with a key but its pages.
func (c *corsRule) forHolder(w http.ResponseWriter, r *http.Request) {
	c.api.HandlerFunc(w, r)
	w.Header().Add("Vary", "Authorization, Cookie")
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
}

// mayUseFrom refuses a key in a page that it is not for. Programs send no Origin,
// or whichever they like: this keeps the pages of others from a key that is seen
// in one, and no more.
func (s *Server) mayUseFrom(p *principal, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || len(p.origins) == 0 || slices.Contains(p.origins, origin) || slices.Contains(p.origins, anyOrigin) || s.origin.own(origin, r.Host) {
		return nil
	}
	return problem.New(problem.Forbidden, "the key %q is not for pages of %s", p.name, origin).WithSlug(slugOrigin).
		WithHint("add the origin to those of the key")
}

// validateOrigins wants origins as browsers send them.
func validateOrigins(origins []string, at func(i int) string) problem.List {
	var list problem.List
	for i, o := range origins {
		u, err := url.Parse(o)
		if o == anyOrigin || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.Host == strings.ToLower(u.Host) && o == u.Scheme+"://"+u.Host {
			continue
		}
		list = append(list, problem.New(problem.Invalid, "%q is not the origin of a page", o).At(at(i)).
			WithHint("write scheme and host in small letters, as in https://shop.example, or *"))
	}
	return list
}
