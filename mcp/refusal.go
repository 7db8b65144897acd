package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// A refusal is a problem that the API answered with.
type refusal struct {
	Status     int        `json:"status"`
	Code       string     `json:"code"`
	Detail     string     `json:"detail"`
	Hint       string     `json:"hint,omitempty"`
	Errors     []fault    `json:"errors,omitempty"`
	Conflicts  []conflict `json:"conflicts,omitempty"`
	Texts      *texts     `json:"texts,omitempty"`
	Retryable  bool       `json:"retryable"`
	RequestID  string     `json:"requestId,omitempty"`
	RetryAfter string     `json:"retryAfter,omitempty"` // seconds
}

// A fault is one place that is wrong.
type fault struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Code    string `json:"code,omitempty"`
	Hint    string `json:"hint,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// A conflict is what somebody else changed as well.
type conflict struct {
	Touched string          `json:"touched"`
	Yours   json.RawMessage `json:"yours"`
	Theirs  json.RawMessage `json:"theirs"`
	By      struct {
		Author   string `json:"author"`
		Revision int64  `json:"revision"`
	} `json:"by"`
}

// texts are a document and what stands where it would go.
type texts struct {
	Version int64  `json:"version,omitempty"`
	Digest  string `json:"digest"`
}

const (
	maxRefusal  = 1 << 20
	shownFaults = 20
)

// refusalOf reads the problem of an answer.
func refusalOf(res *http.Response) error {
	r := &refusal{}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if err != nil {
		return problem.New(problem.Upstream, "read the answer of pictifyd: %w", err)
	}
	if json.Unmarshal(data, r) != nil || r.Detail == "" {
		*r = refusal{Detail: fmt.Sprintf("the server answers %d", res.StatusCode), Code: "upstream", Hint: "is it the address of a pictifyd?"}
	}
	r.Status, r.RetryAfter = res.StatusCode, res.Header.Get("Retry-After")
	r.Errors = r.Errors[:min(len(r.Errors), shownFaults)]
	return r
}

// Error says what is wrong, where, and what to do, a line each.
func (r *refusal) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", r.Detail, r.Code)
	for _, f := range r.Errors {
		fmt.Fprintf(&b, "\n- ")
		if f.Field != "" {
			fmt.Fprintf(&b, "%s: ", f.Field)
		}
		if f.Line > 0 {
			fmt.Fprintf(&b, "line %d:%d: ", f.Line, f.Column)
		}
		b.WriteString(f.Message)
		if f.Hint != "" && f.Hint != r.Hint {
			fmt.Fprintf(&b, " (%s)", f.Hint)
		}
	}
	for _, c := range r.Conflicts {
		fmt.Fprintf(&b, "\n- %s was changed by %s in revision %d: %s", c.Touched, c.By.Author, c.By.Revision, clip(string(c.Theirs), shownText))
	}
	if r.Texts != nil {
		fmt.Fprintf(&b, "\n- in the way is %s", r.Texts.Digest)
	}
	if r.Hint != "" {
		fmt.Fprintf(&b, "\nWhat to do: %s", r.Hint)
	}
	if r.RetryAfter != "" {
		fmt.Fprintf(&b, "\nAsk again after %s seconds.", r.RetryAfter)
	}
	return b.String()
}

// refused is err as a refusal: what went wrong before the API was asked is one, too.
func refused(err error) *refusal {
	if r := (*refusal)(nil); errors.As(err, &r) {
		return r
	}
	p := problem.All(err)[0]
	r := &refusal{Code: p.Kind(), Detail: p.Message, Hint: p.Hint}
	if p.Code == problem.Internal {
		r.Detail = err.Error()
	}
	if p.Path != "" {
		r.Errors = []fault{{Field: p.Path, Message: p.Message}}
	}
	return r
}
