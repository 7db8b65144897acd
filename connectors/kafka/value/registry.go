package value

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/flight"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/internal/trust"
)

// A Registry is a schema registry with the interface of Confluent's, which others
// have as well.
type Registry struct {
	URL     config.Strings  `yaml:"url"`     // with its path; several are asked in turn, until one answers
	Basic   *Basic          `yaml:"basic"`   // who we are
	Bearer  config.Secret   `yaml:"bearer"`  // likewise: sent as Authorization: Bearer …
	TLS     *trust.TLS      `yaml:"tls"`     // none: https trusts whom the machine trusts
	Timeout config.Duration `yaml:"timeout"` // of a request; 10s
}

// Basic are a name and a password.
type Basic struct {
	User     string        `yaml:"user"`
	Password config.Secret `yaml:"password"`
}

// check reports what can't work, with paths from the registry's parent.
func (c *Registry) check() (list problem.List) {
	bad := func(path, format string, args ...any) *problem.Error {
		p := problem.New(problem.Invalid, format, args...).At("schema_registry." + path)
		list = append(list, p)
		return p
	}
	if len(c.URL) == 0 {
		bad("url", "is missing").WithHint("as in http://registry:8081")
	}
	for i, text := range c.URL {
		path := "url"
		if len(c.URL) > 1 {
			path = "url[" + strconv.Itoa(i) + "]"
		}
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			bad(path, "is not an http or https address").WithHint("as in http://registry:8081")
		case u.User != nil:
			bad(path, "has a password in it").WithHint("write basic: { user: …, password: … }")
		case u.RawQuery != "" || u.Fragment != "":
			bad(path, "has more than a path").WithHint("end it before the ? or the #")
		}
	}
	if c.Basic != nil {
		if c.Basic.User == "" {
			bad("basic.user", "is missing").WithHint("a password alone says not who we are")
		}
		if !c.Bearer.IsZero() {
			bad("bearer", "basic says who we are, too").WithHint("keep one of them")
		}
	}
	if !httpguts.ValidHeaderFieldValue(c.Bearer.Reveal()) {
		bad("bearer", "has characters that a header can't carry").WithHint("see whether a line end was read with it")
	}
	if c.Timeout < 0 {
		bad("timeout", "must not be less than 0").WithHint("as in 10s")
	}
	return list
}

const (
	registryTimeout = 10 * time.Second
	maxAnswer       = 4 << 20 // of a registry, in bytes
	maxReferences   = 100     // of a schema, with those that they refer to
	maxSchemas      = 1000    // that are kept
	maxRetryAfter   = 5 * time.Minute

	// grace is how long a schema may take from the server that has taken it to the
	// one that we ask.
	grace      = 5 * time.Second
	graceAgain = 500 * time.Millisecond
)

// A registry has the schemas of one source.
type registry struct {
	cfg     *Registry
	dialect dialect
	client  *http.Client
	asked   flight.Group[*schema]

	mu sync.Mutex

	schemas map[uint32]known
	unknown map[uint32]time.Time // when they were asked for first
}

// A known is a schema, or why it can't be read; neither changes.
type known struct {
	schema *schema
	bad    *flaw
}

// newRegistry is a registry that is asked by client; nil is one of its own.
func newRegistry(cfg *Registry, d dialect, client *http.Client) (*registry, error) {
	if err := cfg.TLS.For(client); err != nil {
		return nil, err
	}
	if client == nil {
		way, err := cfg.TLS.Client()
		if err != nil {
			return nil, err
		}
		client = &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: registryTimeout}).DialContext,
			TLSClientConfig:     way,
			TLSHandshakeTimeout: registryTimeout,
			MaxIdleConnsPerHost: 2,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   true,
		}}
	}
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &registry{cfg: cfg, dialect: d, client: &own, schemas: map[uint32]known{}, unknown: map[uint32]time.Time{}}, nil
}

// decode reads a value that a serializer of the registry wrote. The error is a
// *flaw where the value is wrong.
func (r *registry) decode(ctx context.Context, data []byte) (any, error) {
	id, body, bad := framed(data)
	if bad != nil {
		return nil, bad
	}
	s, err := r.schema(ctx, id)
	if err != nil {
		return nil, err
	}
	value, bad := s.read(body)
	if bad != nil {
		return nil, bad
	}
	return value, nil
}

// schema is the schema of an id. The error is a *flaw where there is none, or none
// that can be read; else it can't be had now.
func (r *registry) schema(ctx context.Context, id uint32) (*schema, error) {
	r.mu.Lock()
	k, ok := r.schemas[id]
	r.mu.Unlock()
	if !ok {
		s, _, err := r.asked.Do(ctx, strconv.FormatUint(uint64(id), 10), func(ctx context.Context) (*schema, error) {
			return r.fetch(ctx, id)
		})
		return s, err
	}
	if k.bad != nil {
		return nil, k.bad
	}
	return k.schema, nil
}

// An entry is a schema as the registry has it.
type entry struct {
	Schema     string `json:"schema"`
	SchemaType string `json:"schemaType"` // none is AVRO
	References []struct {
		Name    string `json:"name"`
		Subject string `json:"subject"`
		Version int    `json:"version"`
	} `json:"references"`
}

func (r *registry) fetch(ctx context.Context, id uint32) (*schema, error) {
	if id > 1<<31-1 {
		return nil, flawed(UnknownSchema, "%d is the id of no schema: the value may be written without a schema registry", id)
	}
	e, err := r.get(ctx, "/schemas/ids/"+strconv.FormatUint(uint64(id), 10))
	if err != nil {
		return nil, r.missing(id, err)
	}
	var k known
	if e.SchemaType != "" && e.SchemaType != "AVRO" {
		k.bad = flawed(BadSchema, "the schema %d is %s, not Avro", id, e.SchemaType)
	} else {
		var references []reference
		if err := r.references(ctx, e, map[string]bool{}, &references); err != nil {
			return nil, r.missing(id, err)
		}
		if k.schema, err = newSchema(e.Schema, references, r.dialect); err != nil {
			k.bad = flawed(BadSchema, "the schema %d can't be read: %v", id, err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.unknown, id)
	if len(r.schemas) >= maxSchemas {
		clear(r.schemas)
	}
	r.schemas[id] = k
	if k.bad != nil {
		return nil, k.bad
	}
	return k.schema, nil
}

// references adds the schemas that e refers to, each behind those that it refers to.
func (r *registry) references(ctx context.Context, e entry, seen map[string]bool, all *[]reference) error {
	for _, of := range e.References {
		path := "/subjects/" + url.PathEscape(of.Subject) + "/versions/" + strconv.Itoa(of.Version) + "?deleted=true"
		if seen[path] {
			continue
		}
		if seen[path] = true; len(seen) > maxReferences {
			return flawed(BadSchema, "its schema refers to more than %d others", maxReferences)
		}
		other, err := r.get(ctx, path)
		if err != nil {
			return err
		}
		if err := r.references(ctx, other, seen, all); err != nil {
			return err
		}
		*all = append(*all, reference{of.Name, other.Schema})
	}
	return nil
}

// missing is err, which came of asking for a schema: what the registry does not know
// it may not know yet, where it was asked for just now.
func (r *registry) missing(id uint32, err error) error {
	var bad *flaw
	if !errors.As(err, &bad) || bad.reason != UnknownSchema {
		return err
	}
	if !cures.SchemasThatComeLate {
		return err
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	first, again := r.unknown[id]
	if !again {
		if len(r.unknown) >= maxSchemas {
			clear(r.unknown)
		}
		r.unknown[id], first = now, now
	}
	if now.Sub(first) >= grace {
		return err
	}
	return retry.After(problem.New(problem.Upstream, "the schema registry does not know the schema %d, and may not know it yet", id), graceAgain)
}

// forgetUnknown has schemas that could not be read asked for once more.
func (r *registry) forgetUnknown() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, k := range r.schemas {
		if k.bad != nil {
			delete(r.schemas, id)
		}
	}
}

// get asks the addresses in turn, until one answers. Only where the registry itself
// says that it has no such schema is the error a *flaw: whatever else it answers, or
// does not, says nothing about the record.
func (r *registry) get(ctx context.Context, path string) (e entry, err error) {
	timeout := r.cfg.Timeout.Std()
	if timeout == 0 {
		timeout = registryTimeout
	}
	for _, base := range r.cfg.URL {
		e, err = r.ask(ctx, timeout, strings.TrimSuffix(base, "/")+path)
		var bad *flaw
		if err == nil || errors.As(err, &bad) || ctx.Err() != nil {
			break
		}
	}
	var bad *flaw
	switch {
	case ctx.Err() != nil:
		return entry{}, ctx.Err()
	case err != nil && !errors.As(err, &bad) && !cures.RegistryOutages:
		return entry{}, flawed(UnknownSchema, "%v", err)
	}
	return e, err
}

func (r *registry) ask(ctx context.Context, timeout time.Duration, address string) (e entry, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return e, err
	}
	req.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	switch {
	case r.cfg.Basic != nil:
		req.SetBasicAuth(r.cfg.Basic.User, r.cfg.Basic.Password.Reveal())
	case !r.cfg.Bearer.IsZero():
		req.Header.Set("Authorization", "Bearer "+r.cfg.Bearer.Reveal())
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return e, unanswered(req.URL.Host, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return e, unanswered(req.URL.Host, err)
	case len(body) > maxAnswer:
		return e, problem.New(problem.TooLarge, "the schema registry %s answers with more than %d MB", req.URL.Host, maxAnswer>>20)
	case resp.StatusCode != http.StatusOK:
		return e, refused(resp, body)
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Schema == "" {
		return e, problem.New(problem.Upstream, "what answers at %s is no schema registry: it has no schema in its answer", req.URL.Host).
			WithHint("correct schema_registry.url, or see what stands before the registry")
	}
	return e, nil
}

func unanswered(host string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return problem.New(problem.Timeout, "the schema registry %s does not answer in time: %w", host, err).
			WithHint("nothing is lost: it is asked again; see that it runs, or raise schema_registry.timeout")
	}
	return problem.New(problem.Upstream, "the schema registry %s does not answer: %w", host, err).
		WithHint("nothing is lost: it is asked again; see that it runs, and that schema_registry.url is right")
}

// The codes by which a registry says that there is no such schema, subject or version.
const (
	noSubject = 40401
	noVersion = 40402
	noSchema  = 40403
)

// refused is what an answer other than a schema says.
func refused(resp *http.Response, body []byte) error {
	var said struct {
		Code    int    `json:"error_code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // what is none has no code
	host := resp.Request.URL.Host
	switch said.Code {
	case noSubject, noVersion, noSchema:
		if resp.StatusCode == http.StatusNotFound {
			return flawed(UnknownSchema, "the schema registry has no such schema: %.200s", said.Message)
		}
	}
	p := problem.New(problem.Upstream, "the schema registry %s answers %s", host, resp.Status)
	if said.Message != "" {
		p.Message += fmt.Sprintf(": %.200s", said.Message)
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusForbidden:
		p.WithHint("correct basic or bearer of schema_registry, or have it let us read")
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode >= 300 && resp.StatusCode < 400:
		p.WithHint("correct schema_registry.url: with the path that some registries have, as in /apis/ccompat/v7")
	}
	if wait, ok := retryAfter(resp.Header.Get("Retry-After")); ok {
		return retry.After(p, wait)
	}
	return p
}

// retryAfter is the wait that a server asks for, in either form.
func retryAfter(value string) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter), true
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), 0), maxRetryAfter), true
	}
	return 0, false
}
