package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
)

// addressField are the parameters of an address that are not variables of the
// template; those, too, may be given in v.
var addressField = []string{
	"size", "layout", "theme", "format", "fileExtension", "quality", "scale", "deviceScaleFactor", "transparent", "compression",
	"width", "height", "version", "locale", "timezone", "currency", "fps", "duration", "loops", "paper", "landscape",
}

// values of a query that say nothing of the picture.
const (
	paramValues  = "v"   // base64url of a JSON object of variables
	paramExpires = "exp" // seconds since 1970
	paramKey     = "kid" // the id of the key that signed
	paramSign    = "sig" // the last one
)

const (
	// A picture of the newest version may become another one.
	addressFresh = 5 * time.Minute
	pinnedFresh  = 24 * time.Hour
	addressStale = 24 * time.Hour

	// What reads the clock is made anew at most so often.
	addressClock = time.Minute
)

// renderByAddress makes the picture that a signed address describes.
func (s *Server) renderByAddress(w http.ResponseWriter, r *http.Request) error {
	openToAll(w.Header())
	name, ext, ok := splitFile(r.PathValue("file"))
	if !ok {
		return problem.New(problem.NotFound, "there is no image %s", r.URL.Path).WithSlug(slugImageNotFound).
			WithHint("the path is /i/TEMPLATE.EXT, as POST /templates/{id}/sign gives it")
	}
	kid, err := s.verify(r)
	if err != nil {
		return err
	}
	return s.renderQuery(w, r, name, ext, s.now.mayDraw(kid, clientOf(r)))
}

// renderByQuery makes the picture of a template with the variables of the query,
// for whoever has a key, or has it signed.
func (s *Server) renderByQuery(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("id")
	if r.URL.Query().Has(paramSign) {
		openToAll(w.Header())
		kid, err := s.verify(r)
		if err != nil {
			return err
		}
		return s.renderQuery(w, r, name, "", s.now.mayDraw(kid, clientOf(r)))
	}
	p, err := s.permit(r, RendersWrite)
	if err != nil {
		return err
	}
	r = r.WithContext(withPrincipal(r.Context(), p))
	return s.renderQuery(w, r, name, "", s.spend(r.Context()))
}

// verify reports who signed the address of r: the exact bytes of its path and
// query, without the signature, which is its last parameter.
func (s *Server) verify(r *http.Request) (kid string, err error) {
	query, signature, ok := cutSignature(r.URL.RawQuery)
	params, parseErr := url.ParseQuery(query)
	if !ok || parseErr != nil || len(params[paramKey]) > 1 || len(params[paramExpires]) > 1 {
		return "", badSignature("it does not end in one sig=")
	}
	message := r.URL.EscapedPath()
	if query != "" {
		message += "?" + query
	}
	kid = params.Get(paramKey)
	known := false
	for _, k := range s.signers.all() {
		if kid != "" && k.ID != kid {
			continue
		}
		known = true
		if !signing.Verify(message, signature, k.Secret.Reveal()) {
			continue
		}
		if until := params.Get(paramExpires); until != "" {
			expires, err := strconv.ParseInt(until, 10, 64)
			if err != nil {
				return "", badSignature("exp is no number of seconds")
			}
			if time.Now().Unix() >= expires {
				return "", problem.New(problem.Forbidden, "this address was good until %s", time.Unix(expires, 0).UTC().Format(time.RFC3339)).
					WithSlug(slugExpired).WithHint("sign a new one")
			}
		}
		return k.ID, nil
	}
	if !known {
		return "", badSignature("there is no key of that kid")
	}
	return "", badSignature("it was made for other bytes, or with another key")
}

func badSignature(why string) error {
	return problem.New(problem.Forbidden, "the signature of this address is not good: %s", why).WithSlug(slugSignature).
		WithHint("the path and the query before &sig= are signed byte for byte, as they are sent")
}

// cutSignature takes the last parameter of a query off, if it is a signature.
func cutSignature(query string) (rest, signature string, ok bool) {
	at := strings.LastIndexByte(query, '&')
	signature, ok = strings.CutPrefix(query[at+1:], paramSign+"=")
	return query[:max(at, 0)], signature, ok
}

// renderQuery makes the picture that the query of r describes, and serves it to
// browsers and shared caches.
func (s *Server) renderQuery(w http.ResponseWriter, r *http.Request, name, ext string, may func() error) error {
	o, names, err := queryOrder(r.URL.Query(), ext)
	if err != nil {
		return err
	}
	o.Template = name
	within, leave, err := s.now.enter(r.Context())
	if err != nil {
		return err
	}
	defer leave()
	st, err := s.sit(within, o, time.Now().Truncate(addressClock))
	if err != nil {
		return s.now.late(within, err)
	}
	if err := st.checkNames(names); err != nil {
		return err
	}
	pictures, err := s.draw(within, st, may)
	if err != nil {
		return s.now.late(within, err)
	}
	p := pictures[0]
	caching := addressCaching(o, r.URL.Query().Get(paramExpires), time.Now())
	if !r.URL.Query().Has(paramSign) { // with a key, for its owner
		caching = askAgainOwn
	}
	return s.serveBytes(w, r, file{p.Hash, p.Ext, name}, caching, p.At)
}

// addressCaching is how long caches may keep a picture: not beyond its address.
func addressCaching(o batch.Order, expires string, now time.Time) string {
	fresh, stale := addressFresh, addressStale
	if _, err := strconv.ParseInt(o.Version, 10, 64); err == nil {
		fresh = pinnedFresh
	}
	if until, err := strconv.ParseInt(expires, 10, 64); err == nil {
		left := time.Unix(until, 0).Sub(now)
		fresh = max(min(fresh, left), 0)
		stale = max(min(stale, left-fresh), 0)
	}
	return fmt.Sprintf("public, max-age=%d, stale-while-revalidate=%d", int(fresh.Seconds()), int(stale.Seconds()))
}

// queryOrder reads an order from a query. names are the variables that stand in
// it by name.
func queryOrder(query url.Values, ext string) (o batch.Order, names []string, err error) {
	body, variables := map[string]any{}, map[string]any{}
	if text := query.Get(paramValues); text != "" {
		if variables, err = decodeVariables(text); err != nil {
			return o, nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := query[name]
		switch {
		case slices.Contains([]string{paramValues, paramExpires, paramKey, paramSign}, name):
		case len(value) > 1:
			return o, nil, problem.New(problem.Invalid, "%q stands twice in the address", name).WithSlug("given_twice").At(name)
		case slices.Contains(addressField, name):
			body[name] = scalar(name, value[0])
		default:
			names = append(names, name)
			variables[name] = value[0]
		}
	}
	if ext != "" {
		if given := cmp.Or(query.Get("format"), query.Get("fileExtension")); given != "" {
			return o, nil, problem.New(problem.Invalid, "the path ends in .%s, and the address has another format", ext).At("format").WithHint("leave it out")
		}
		body["format"] = ext
	}
	body["variables"] = variables
	data, err := json.Marshal(body)
	if err != nil {
		return o, nil, err
	}
	o, err = batch.DecodeOrder(data, batch.RenderOrder)
	return o, names, err
}

// scalar is a parameter as the JSON of an order has it.
func scalar(name, text string) any {
	switch name {
	case "quality", "scale", "deviceScaleFactor", "width", "height", "fps", "loops", "transparent", "landscape":
		var value json.RawMessage
		if json.Unmarshal([]byte(text), &value) == nil {
			return value
		}
	}
	return text
}

// decodeVariables reads the parameter v.
func decodeVariables(text string) (map[string]any, error) {
	data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, problem.New(problem.Invalid, "v is not base64url: %w", err).WithSlug("wrong_type").At(paramValues).
			WithHint("it is the JSON of the variables in base64url, RFC 4648 section 5")
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var variables map[string]any
	if err := d.Decode(&variables); err != nil || variables == nil {
		return nil, problem.New(problem.Invalid, "v holds no JSON object").WithSlug("wrong_type").At(paramValues)
	}
	return variables, nil
}

// maxExpiry is how far the end of a signed address may be: what is longer has none.
const maxExpiry = 10 * 365 * 24 * 3600

// signAddress signs an address under which anybody may have the picture of one
// row. The picture is planned, so that the address works, and not made.
func (s *Server) signAddress(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, replayBody))
	if err != nil {
		return smallBodyError(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return problem.New(problem.Invalid, "the body is not a JSON object: %v", err).WithSlug("bad_json")
	}
	expires, err := expiryOf(fields, time.Now())
	if err != nil {
		return err
	}
	key := s.signers.newest()
	path, err := s.addressOf(r, fields, expires, key)
	if err != nil {
		return err
	}
	view := addressView{URL: s.base + path, Path: path, KeyID: key.ID}
	if expires > 0 {
		at := time.Unix(expires, 0).UTC()
		view.ExpiresAt = &at
	}
	return answer(w, http.StatusOK, view)
}

// An addressView is a signed address.
type addressView struct {
	URL       string     `json:"url"`
	Path      string     `json:"path"`
	KeyID     string     `json:"kid,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt"` // null: it has no end
}

// expiryOf takes the end of an address out of fields; 0 is none.
func expiryOf(fields map[string]json.RawMessage, now time.Time) (int64, error) {
	raw, ok := fields["expiresIn"]
	delete(fields, "expiresIn")
	if !ok || string(raw) == "null" {
		return 0, nil
	}
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || seconds < 1 || seconds > maxExpiry {
		return 0, problem.New(problem.Invalid, "expiresIn is %s, it must be a number of seconds from 1 to %d", raw, maxExpiry).
			WithSlug("out_of_range").At("expiresIn")
	}
	return now.Unix() + int64(math.Ceil(seconds)), nil
}

// addressOf is the signed path of the picture that fields describe.
func (s *Server) addressOf(r *http.Request, fields map[string]json.RawMessage, expires int64, key URLKey) (string, error) {
	name, ext, query := r.PathValue("id"), "png", url.Values{}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case string(fields[field]) == "null":
		case field == "variables":
			query.Set(paramValues, base64.RawURLEncoding.EncodeToString(fields[field]))
		case field == "format" || field == "fileExtension":
			ext = paramOf(fields[field])
		case slices.Contains(addressField, field):
			query.Set(field, paramOf(fields[field]))
		default:
			return "", problem.New(problem.Invalid, "an address has no field %q", field).WithSlug("unknown_field").At(field).
				WithHint("its fields are variables, expiresIn, %s", strings.Join(addressField, ", "))
		}
	}
	o, _, err := queryOrder(query, ext)
	if err != nil {
		return "", err
	}
	o.Template = name
	if _, err := s.sit(r.Context(), o, time.Now()); err != nil {
		return "", err
	}
	if expires > 0 {
		query.Set(paramExpires, strconv.FormatInt(expires, 10))
	}
	if key.ID != "" {
		query.Set(paramKey, key.ID)
	}
	path := "/i/" + url.PathEscape(name) + "." + ext
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return SignPath(path, key.Secret.Reveal()), nil
}

// paramOf is a JSON scalar as a parameter.
func paramOf(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}
