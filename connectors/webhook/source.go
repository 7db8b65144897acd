package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// maxID is how long the id of a message may be, in bytes.
const maxID = 255

type source struct {
	cfg      *Config
	check    check
	programs programs
}

var (
	_ connectors.Poller   = (*source)(nil)
	_ connectors.Receiver = (*source)(nil)
)

func newSource(cfg *Config) (*source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p, _ := cfg.programs() // they were judged
	return &source{cfg: cfg, check: newCheck(cfg), programs: p}, nil
}

// refused says nothing about why: that would help only whoever tries.
func refused() error {
	return problem.New(problem.Unauthorized, "this call is not known to be from its sender").WithSlug("hook_refused")
}

// Receive implements connectors.Receiver.
func (s *source) Receive(r *http.Request) (connectors.Message, error) {
	if !s.check.hopeful(r.Header, time.Now()) {
		return connectors.Message{}, refused()
	}
	format := ""
	if s.cfg.Refresh == "" { // else any form will do
		var err error
		if format, err = formatOf(r.Header); err != nil {
			return connectors.Message{}, err
		}
	}
	gzipped, err := packed(r.Header)
	if err != nil {
		return connectors.Message{}, err
	}
	if r.ContentLength > int64(s.cfg.MaxSize) {
		return connectors.Message{}, overLimit(s.cfg.MaxSize)
	}
	body, err := readBody(r.Body, s.cfg.MaxSize)
	if err != nil {
		return connectors.Message{}, err
	}
	if !s.check.proves(r.Header, body) {
		return connectors.Message{}, refused()
	}
	if gzipped {
		if body, err = unpack(body, s.cfg.MaxSize); err != nil {
			return connectors.Message{}, err
		}
	}
	m, err := s.message(r.Header, format, body)
	if err != nil {
		return connectors.Message{}, err // without the rows that came before the fault
	}
	return m, nil
}

// message is what a call brings that is known to be from its sender.
func (s *source) message(h http.Header, format string, body []byte) (m connectors.Message, err error) {
	e := newEnvelope(h, s.programs.readHeaders)
	switch format {
	case "":
		if document, err := poll.ReadDocument(body); err == nil {
			e.body = document.Value
		}
		if m.ID, err = s.id(e); err == nil {
			m.Wakes, err = e.holds(s.programs.when, true)
		}
		return m, err
	case poll.NDJSON:
		if m.ID, err = s.id(e); err == nil {
			err = s.lines(&m, e, body)
		}
		return m, err
	}
	document, err := poll.ReadDocument(body)
	if err != nil {
		return m, malformed(err)
	}
	e.body = document.Value
	if m.ID, err = s.id(e); err != nil {
		return m, err
	}
	err = s.rows(&m, e, document)
	return m, err
}

// id names the message, so that it is known when it comes again.
func (s *source) id(e envelope) (string, error) {
	var id string
	switch _, stripes := s.check.(stripe); {
	case s.programs.id != nil:
		text, err := e.text(s.programs.id)
		if err != nil || text == "" {
			return "", problem.New(problem.Invalid, "the call has no id: %s gives none", s.cfg.ID).WithSlug("hook_without_id").
				WithHint("see that id fits what the sender sends")
		}
		id = text
	case s.check.id() != "":
		id = e.header.Get(s.check.id())
	case stripes:
		event, _ := e.body.(map[string]any)
		id, _ = event["id"].(string)
		if id == "" {
			return "", problem.New(problem.Invalid, "the body is no Stripe event: it has no id").WithSlug("hook_without_id")
		}
	}
	if len(id) > maxID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return "", problem.New(problem.Invalid, "the id of the call is no text of up to %d bytes", maxID).WithSlug("hook_without_id")
	}
	return id, nil
}

// lines adds the rows of an NDJSON body, in which each line is a document.
func (s *source) lines(m *connectors.Message, e envelope, body []byte) error {
	lines, err := poll.Layout{Format: poll.NDJSON}.Decoder(poll.NDJSON, bytes.NewReader(body), nil)
	if err != nil {
		return malformed(err)
	}
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return malformed(err)
		case line.Fault != nil:
			m.Faults = append(m.Faults, *line.Fault)
			continue
		}
		before := len(m.Rows) + len(m.Faults)
		e.body = line.Values
		if err := s.rows(m, e, poll.Document{Value: line.Values}); err != nil {
			m.Faults = append(m.Faults, connectors.Fault{Position: line.Position, Reason: poll.BadRecord, Detail: problem.All(err)[0].Message})
		}
		place(m, line.Position, before)
	}
}

// place names the line in the positions of what came after before elements.
func place(m *connectors.Message, line string, before int) {
	added := len(m.Rows) + len(m.Faults) - before
	for i := range min(added, len(m.Rows)) {
		if row := &m.Rows[len(m.Rows)-1-i]; strings.HasPrefix(row.Position, "$") {
			row.Position = line + " " + row.Position
		}
	}
	for i := range min(added, len(m.Faults)) {
		if f := &m.Faults[len(m.Faults)-1-i]; strings.HasPrefix(f.Position, "$") {
			f.Position = line + " " + f.Position
		}
	}
}

// rows adds the rows of a document.
func (s *source) rows(m *connectors.Message, e envelope, d poll.Document) error {
	if wanted, err := e.holds(s.programs.when, true); err != nil || !wanted {
		return err
	}
	elements, err := d.Elements(s.cfg.Rows)
	if err != nil {
		return err
	}
	for _, element := range elements {
		fault := element.Fault
		if fault == nil {
			row := element.Row(s.cfg.Key)
			if s.cfg.One != "" {
				row.Key = []any{s.cfg.One}
			}
			if fault = s.judge(&row, e); fault == nil {
				m.Rows = append(m.Rows, row)
				continue
			}
		}
		m.Faults = append(m.Faults, *fault)
	}
	return nil
}

// judge says of a row whether it is deleted, and which of its states it is.
func (s *source) judge(row *connectors.Row, e envelope) *connectors.Fault {
	e.row = row.Values
	var err error
	if row.Deleted, err = e.holds(s.programs.deleted, false); err != nil {
		return &connectors.Fault{Position: row.Position, Reason: poll.BadRecord, Detail: "deleted: " + problem.All(err)[0].Message}
	}
	if s.programs.version == nil {
		return nil
	}
	if row.Version, err = e.version(s.programs.version); err != nil {
		return &connectors.Fault{Position: row.Position, Reason: BadVersion, Detail: fmt.Sprintf("version: %v", err)}
	}
	return nil
}

func malformed(err error) error {
	p := *problem.All(err)[0]
	return p.WithSlug(slugMalformed)
}
