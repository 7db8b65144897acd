package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxAnswer bounds what is read of one answer of the API.
const maxAnswer = 32 << 20

// An order is one request of the API.
type order struct {
	method  string
	path    []string // its segments, as they are: they are escaped here
	query   url.Values
	ifMatch int64  // 0: none
	key     string // Idempotency-Key
	accept  string
	body    any // JSON; nil: none
}

func read(path ...string) order { return order{method: http.MethodGet, path: path} }

func send(body any, path ...string) order {
	return order{method: http.MethodPost, path: path, body: body}
}

// with adds a parameter of the query, where it says something.
func (o order) with(name string, value any) order {
	text := fmt.Sprint(value)
	if text == "" || text == "0" || text == "false" {
		return o
	}
	if o.query == nil {
		o.query = url.Values{}
	}
	o.query.Set(name, text)
	return o
}

// request makes the order a request.
func (o order) request(ctx context.Context) (*http.Request, error) {
	target, err := pathOf(o.path)
	if err != nil {
		return nil, err
	}
	if len(o.query) > 0 {
		target += "?" + o.query.Encode()
	}
	var body io.Reader
	if o.body != nil {
		data, err := json.Marshal(o.body)
		if err != nil {
			return nil, fmt.Errorf("encode a request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, o.method, target, body)
	if err != nil {
		return nil, err
	}
	if o.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if o.accept != "" {
		req.Header.Set("Accept", o.accept)
	}
	if o.ifMatch != 0 {
		req.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(o.ifMatch, 10)))
	}
	if o.key != "" {
		req.Header.Set("Idempotency-Key", o.key)
	}
	return req, nil
}

// pathOf is a path of segments. A name that would lead elsewhere is none.
func pathOf(segments []string) (string, error) {
	var path strings.Builder
	for _, s := range segments {
		if s == "" || s == "." || s == ".." || strings.ContainsFunc(s, control) {
			return "", problem.New(problem.Invalid, "%q is not a name", s).WithSlug("bad_name").WithHint("take names and ids as the list tools give them")
		}
		path.WriteString("/" + url.PathEscape(s))
	}
	return path.String(), nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// open makes a request. The caller closes the answer's body. What the API refuses is
// a *refusal.
func (s *Server) open(ctx context.Context, o order) (*http.Response, error) {
	req, err := o.request(ctx)
	if err != nil {
		return nil, err
	}
	res, err := s.do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < http.StatusMultipleChoices {
		return res, nil
	}
	defer res.Body.Close()
	return nil, refusalOf(res)
}

// ask makes a request and reads the answer into value; nil: it is not wanted.
func (s *Server) ask(ctx context.Context, o order, value any) error {
	data, err := s.fetch(ctx, o)
	if err != nil || value == nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(value); err != nil {
		return problem.New(problem.Upstream, "the server does not answer as pictifyd does: %w", err).WithHint("is it the address of a pictifyd, and of this version?")
	}
	return nil
}

// fetch makes a request and reads the answer's bytes.
func (s *Server) fetch(ctx context.Context, o order) ([]byte, error) {
	res, err := s.open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, problem.New(problem.Upstream, "read the answer of pictifyd: %w", err)
	}
	return data, nil
}

// follow makes a request whose answer is a stream of events, and hands on each until
// take says that it has enough, or the stream ends.
func (s *Server) follow(ctx context.Context, o order, take func(event string, data []byte) (done bool, err error)) error {
	o.accept = "text/event-stream"
	res, err := s.open(ctx, o)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := newLines(res.Body)
	var event string
	var data []byte
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			event = string(value)
		case "data":
			data = append(data, value...)
		case "":
			if len(lines.Bytes()) > 0 || event == "" { // a comment, or nothing
				continue
			}
			done, err := take(event, data)
			if done || err != nil {
				return err
			}
			event, data = "", nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return lines.Err()
}
