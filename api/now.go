package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// ordered is a handler whose request is an order, done once per Idempotency-Key.
func ordered(handle handler) handler { return repeated(batch.MaxOrder, handle) }

// orderOf reads the order that r brings.
func orderOf(r *http.Request, kind batch.OrderKind) (batch.Order, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return batch.Order{}, smallBodyError(err)
	}
	o, err := batch.DecodeOrder(body, kind)
	if o.Given("response") == "" && len(o.Outputs) == 1 && wantsBytes(r.Header.Get("Accept")) {
		o.Response = batch.AnswerBinary
	}
	return o, err
}

// wantsBytes reports whether a client that accepts so asks for a picture.
func wantsBytes(accept string) bool {
	bytes := false
	for part := range strings.SplitSeq(accept, ",") {
		media, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		if media == "application/json" || strings.HasSuffix(media, "+json") {
			return false
		}
		bytes = bytes || strings.HasPrefix(media, "image/") || media == "application/pdf"
	}
	return bytes
}

// renderTemplate makes the pictures of one row of a template.
func (s *Server) renderTemplate(w http.ResponseWriter, r *http.Request) error {
	o, err := orderOf(r, batch.RenderOrder)
	if err != nil {
		return err
	}
	o.Template = r.PathValue("id")
	st, pictures, err := s.take(r.Context(), o)
	if err != nil {
		return err
	}
	if o.Response == batch.AnswerBinary {
		return s.sendPicture(w, r, st, pictures[0])
	}
	view, err := s.envelope(r.Context(), st, pictures)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, view)
}

// renderImage makes one picture of html or of a template.
func (s *Server) renderImage(w http.ResponseWriter, r *http.Request) error {
	return s.renderOne(w, r, batch.ImageOrder, func(_ *sitting, v pictureView) (any, error) { return v, nil })
}

// renderOne makes the one picture of an order, and answers what view makes of it.
func (s *Server) renderOne(w http.ResponseWriter, r *http.Request, kind batch.OrderKind, view func(*sitting, pictureView) (any, error)) error {
	o, err := orderOf(r, kind)
	if err != nil {
		return err
	}
	st, pictures, err := s.take(r.Context(), o)
	if err != nil {
		return err
	}
	if o.Response == batch.AnswerBinary {
		return s.sendPicture(w, r, st, pictures[0])
	}
	shown, err := s.viewOf(r.Context(), st, 0, pictures[0])
	if err != nil {
		return err
	}
	shown.Metadata = o.Metadata
	value, err := view(st, shown)
	if err != nil {
		return err
	}
	return answer(w, http.StatusOK, value)
}

// take plans an order and makes its pictures. Its error says that there is none
// at all.
func (s *Server) take(ctx context.Context, o batch.Order) (*sitting, []Drawn, error) {
	within, leave, err := s.now.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	st, err := s.sit(within, o, time.Now())
	if err != nil {
		return nil, nil, s.now.late(within, err)
	}
	pictures, err := s.draw(within, st, s.spend(ctx))
	return st, pictures, s.now.late(within, err)
}

// spend charges each picture that is made to the key that asks; nil for one
// without a quota.
func (s *Server) spend(ctx context.Context) func() error {
	p := asker(ctx)
	if p.quota == (apikey.Quota{}) {
		return nil
	}
	return func() error { return s.deps.Keys.Spend(ctx, p.charge(1)) }
}

// draw makes the pictures of st. If all of them fail, so does it.
func (s *Server) draw(ctx context.Context, st *sitting, may func() error) ([]Drawn, error) {
	pictures, faults := make([]Drawn, len(st.wants)), make([]error, len(st.wants))
	var drawing sync.WaitGroup
	for i, want := range st.wants {
		drawing.Go(func() { pictures[i], faults[i] = s.deps.Easel.Draw(ctx, want, may) })
	}
	drawing.Wait()
	var list problem.List
	for i, p := range pictures {
		if faults[i] != nil {
			return nil, faults[i]
		}
		if st.order.Strict && p.Problem == nil {
			pictures[i].Problem = strictly(p)
		}
		if p := pictures[i].Problem; p != nil {
			list = append(list, problemAsked(*p))
		}
	}
	if len(list) == len(pictures) {
		return nil, list.Err()
	}
	return pictures, nil
}

// strictly is the first warning of a picture as a problem.
func strictly(p Drawn) *bindings.Problem {
	all := p.Fitting.Warnings("")
	if len(all) == 0 {
		return nil
	}
	return &bindings.Problem{Code: all[0].Code, Message: fmt.Sprintf("%s: %s", all[0].Layer, all[0].Message)}
}
