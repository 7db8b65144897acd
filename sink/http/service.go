package httpsink

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/exchange"
)

// The slugs of this package's problems, beside AddressRefused.
const (
	RequestFailed   = "http_request_failed"
	RequestInvalid  = "http_request_invalid"
	RedirectRefused = "redirect_refused"
	Unexpected      = "unexpected_answer"
	ResourceGone    = "resource_gone"
)

// judgedAnswer is how much of an answer an expression reads.
const judgedAnswer = 1 << 20

// service is where requests go to.
type service struct {
	config        *Config
	forms         map[string]*form
	permanent     statuses
	authorization string
	bytes         opener
	receiver      *exchange.Receiver
}

func newService(c *Config, env sink.Env) (*service, error) {
	if err := c.TLS.For(env.Client); err != nil {
		return nil, err
	}
	trusted, wrong := c.TLS.Client()
	if wrong != nil {
		return nil, wrong
	}
	forms, problems := newForms(c)
	permanent, err := parseStatuses(c.Permanent)
	if err != nil {
		problems = append(problems, err)
	}
	s := &service{config: c, forms: forms, permanent: permanent, bytes: env.Bytes}
	hidden := []string{c.Bearer.Reveal()}
	switch {
	case !c.Bearer.IsZero():
		s.authorization = "Bearer " + c.Bearer.Reveal()
	case c.Basic != nil:
		pair := base64.StdEncoding.EncodeToString([]byte(c.Basic.User + ":" + c.Basic.Password.Reveal()))
		s.authorization, hidden = "Basic "+pair, append(hidden, c.Basic.Password.Reveal(), pair)
	}
	for _, r := range append([]Request{c.Request}, requests(c.On)...) {
		for _, value := range r.Headers {
			hidden = append(hidden, value.Reveal())
		}
		if to, err := url.Parse(sketch(r.URL)); err == nil {
			hidden = append(hidden, exchange.SecretsIn(to)...)
		}
	}
	s.receiver = exchange.New(exchange.Options{Client: env.Client, TLS: trusted, Timeout: c.Timeout.Std(), Slug: RequestFailed, Secrets: hidden})
	return s, problems.Err()
}

func requests(on map[string]Request) (all []Request) {
	for _, r := range on {
		all = append(all, r)
	}
	return all
}

// Deliver sends what there is to be sent for d.
func (s *service) Deliver(ctx context.Context, d sink.Delivery) (receipt sink.Receipt, err error) {
	f := s.forms[d.Event]
	if f == nil || d.Key == "" {
		return receipt, ctx.Err()
	}
	for _, o := range s.subjects(d) {
		w := newFiller(ctx, d, o, s.bytes)
		if s.config.EachOutput {
			w.id += "-" + o.Name
		}
		if receipt, err = s.send(ctx, f, w); err != nil {
			return receipt, err
		}
	}
	return receipt, ctx.Err()
}

// subjects are the pictures that requests are about. A picture that there is not
// is none to tell of; a removal and a failure may be without one.
func (s *service) subjects(d sink.Delivery) (subjects []sink.Output) {
	for _, o := range d.Outputs {
		if o.Hash == "" || o.Error != "" || s.config.Output != "" && o.Name != s.config.Output {
			continue
		}
		subjects = append(subjects, o)
		if !s.config.EachOutput {
			return subjects
		}
	}
	if len(subjects) == 0 && d.Event != sink.RenderCompleted {
		return []sink.Output{{Name: s.config.Output}}
	}
	return subjects
}

func (s *service) send(ctx context.Context, f *form, w *filler) (sink.Receipt, error) {
	req, err := s.request(ctx, f, w)
	if err != nil {
		return sink.Receipt{}, err
	}
	most := int64(exchange.MaxAnswer)
	if f.expect != nil {
		most = judgedAnswer
	}
	answer, err := s.receiver.Send(ctx, req, most, f.expect != nil)
	if err != nil {
		return answer.Receipt(), err
	}
	return answer.Receipt(), s.judge(f, answer)
}

// request fills f in.
func (s *service) request(ctx context.Context, f *form, w *filler) (*http.Request, error) {
	to := f.address.fill(w)
	headers := http.Header{}
	headers.Set("User-Agent", "pictifyd")
	headers.Set("Idempotency-Key", w.id)
	if s.authorization != "" {
		headers.Set("Authorization", s.authorization)
	}
	for _, h := range f.headers {
		if h.text.Sketch("x") == "" {
			headers.Del(h.name)
			continue
		}
		headers.Set(h.name, w.text("headers."+h.name, h.text, asItIs))
		if !httpguts.ValidHeaderFieldValue(headers.Get(h.name)) {
			w.fail(invalid("headers."+h.name, "is not a header once its expressions are filled in"))
		}
	}
	var b body
	if f.content != nil {
		b = f.content.fill(w)
		headers.Set("Content-Type", b.contentType)
	}
	if w.err != nil {
		return nil, w.err
	}
	req, err := http.NewRequestWithContext(ctx, f.method, to.String(), http.NoBody)
	if err != nil {
		return nil, invalid("url", "is not an address once its expressions are filled in")
	}
	req.Header = headers
	if f.content == nil {
		return req, nil
	}
	req.ContentLength, req.GetBody = b.length, b.open
	if b.length > 0 {
		req.Body, err = b.open()
	}
	return req, err
}

func invalid(path, format string, args ...any) error {
	return retry.Permanent(problem.New(problem.Invalid, format, args...).WithSlug(RequestInvalid).At(path))
}

// judge says what an answer means.
func (s *service) judge(f *form, a exchange.Answer) error {
	switch {
	case f.success.has(a.Status) && f.expect == nil:
		return nil
	case f.success.has(a.Status):
		return expected(f.expect, a)
	case a.Status >= 300 && a.Status <= 399:
		return retry.Permanent(problem.New(problem.Upstream, "%d from %s: redirects are not followed", a.Status, a.From()).
			WithSlug(RedirectRefused).WithHint("give the address that it redirects to"))
	case a.Status == http.StatusGone && f.address.static():
		return sink.Gone(problem.New(problem.Upstream, "410 from %s: it is gone", a.From()).
			WithSlug(ResourceGone).WithHint("give the sink another address, and resume it"))
	case a.Status == http.StatusGone: // this row's; others may be there
		return retry.Permanent(problem.New(problem.Upstream, "410 from %s: it is gone", a.From()).WithSlug(ResourceGone))
	case s.permanent.has(a.Status):
		return retry.Permanent(a.Refusal())
	}
	return a.Refusal()
}

// expected asks the expression over an answer.
func expected(program *expr.Program, a exchange.Answer) error {
	if a.Cut {
		return problem.New(problem.Upstream, "%d from %s, but its answer was cut or is larger than %d bytes, so that expect can't be asked", a.Status, a.From(), judgedAnswer).
			WithSlug(Unexpected)
	}
	v, err := program.Eval(map[string]any{"status": json.Number(strconv.Itoa(a.Status)), "body": valueOf(a.Body)}, expr.Env{})
	switch {
	case err != nil:
		return problem.New(problem.Upstream, "%d from %s, of which expect can't be asked: %w%s", a.Status, a.From(), err, a.Quote()).WithSlug(Unexpected)
	case v != true:
		return problem.New(problem.Upstream, "%d from %s, but expect is not met%s", a.Status, a.From(), a.Quote()).WithSlug(Unexpected)
	}
	return nil
}

// valueOf is the JSON of an answer, or its text.
func valueOf(body []byte) any {
	var v any
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return string(body)
	}
	if _, err := dec.Token(); err != io.EOF {
		return string(body)
	}
	return v
}

// Close implements io.Closer.
func (s *service) Close() error { return s.receiver.Close() }

// Probe connects to the host of the request, and sends none.
func (s *service) Probe(ctx context.Context) error {
	for _, event := range s.config.events() {
		text := merged(s.config.Request, s.config.On[event]).URL
		if to, err := url.Parse(sketch(text)); err != nil {
			return problem.New(problem.Invalid, "the url is not an address")
		} else if err := s.receiver.Probe(ctx, to); err != nil {
			return err
		}
	}
	return nil
}
