package api

import (
	"net/http"
	"net/url"
	"strings"
)

// An alias is one way of the seed product's dialect, told in ours. {x} stands
// for one segment, {x…} for all that follow.
type alias struct{ from, to string }

// aliases are applied in this order, each at most once, before the mux sees
// the request.
var aliases = []alias{
	{"/v1/{rest…}", "/{rest…}"},
	{"/template/{rest…}", "/templates/{rest…}"},
	{"/templates/expression/{rest…}", "/expressions/{rest…}"},
	{"/expression/{rest…}", "/expressions/{rest…}"},
	{"/templates/batch/{id}/results", "/jobs/{id}"},
	{"/templates/batch/{id}/{rest…}", "/jobs/{id}/{rest…}"},
	{"/templates/batch/{id}", "/jobs/{id}"},
	{"/jobs/{id}/results", "/jobs/{id}"},
	{"/templates/{id}/batch", "/templates/{id}/batch-render"},
	{"/templates/{id}/draft/publish", "/templates/{id}/publish"},
	{"/experiments/api", "/experiments"},
	{"/experiments/api/{rest…}", "/experiments/{rest…}"},
}

// rewrite hands on the request in our own dialect.
func rewrite(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := r.URL.EscapedPath()
		after := canonicalPath(before)
		if after == before {
			next.ServeHTTP(w, r)
			return
		}
		plain, err := url.PathUnescape(after)
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		own := *r.URL
		own.Path, own.RawPath = plain, after
		rewritten := r.WithContext(r.Context())
		rewritten.URL = &own
		next.ServeHTTP(w, rewritten)
	})
}

// canonicalPath is an escaped path after every alias that fits it.
func canonicalPath(escaped string) string {
	for _, a := range aliases {
		if vars, ok := match(a.from, escaped); ok {
			escaped = expand(a.to, vars)
		}
	}
	return escaped
}

// match takes the variables of pattern from path; none of them is empty.
func match(pattern, path string) (map[string]string, bool) {
	vars := map[string]string{}
	want, have := segments(pattern), segments(path)
	for i, w := range want {
		switch {
		case i >= len(have):
			return nil, false
		case strings.HasSuffix(w, "…}"):
			vars[w] = strings.Join(have[i:], "/")
			return vars, vars[w] != ""
		case strings.HasPrefix(w, "{"):
			if have[i] == "" {
				return nil, false
			}
			vars[w] = have[i]
		case w != have[i]:
			return nil, false
		}
	}
	return vars, len(want) == len(have)
}

func expand(pattern string, vars map[string]string) string {
	parts := segments(pattern)
	for i, p := range parts {
		if v, ok := vars[p]; ok {
			parts[i] = v
		}
	}
	return "/" + strings.Join(parts, "/")
}

func segments(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }
