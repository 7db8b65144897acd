package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// A pictureView is a picture that was asked for, as it is shown.
type pictureView struct {
	URL         string             `json:"url"`
	ID          string             `json:"id"` // the same for the same picture
	Width       int                `json:"width"`
	Height      int                `json:"height"`
	Format      string             `json:"format"`
	Size        int64              `json:"size"` // bytes
	CreatedAt   time.Time          `json:"createdAt"`
	Cached      bool               `json:"cached"` // it was there
	ContentHash string             `json:"contentHash"`
	RenderMs    float64            `json:"renderMs"` // in the engine, when it was made
	Warnings    []bindings.Warning `json:"warnings"`
	Base64      string             `json:"base64,omitempty"`
	Metadata    json.RawMessage    `json:"metadata,omitempty"`

	UserStorageURL *string `json:"userStorageUrl"` // of the seed's API: always null, pictures go to sinks
}

// A layoutView is one picture of several.
type layoutView struct {
	Layout string `json:"layout"` // the size
	Name   string `json:"name"`   // of the output
	Theme  string `json:"theme,omitempty"`
	pictureView
}

// A layoutFailure is one that there is not.
type layoutFailure struct {
	Layout string `json:"layout"`
	Name   string `json:"name"`
	Error  string `json:"error"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

// An envelopeView is the answer of a template: the first picture in short, all
// of them, and those that there are not.
type envelopeView struct {
	pictureView
	Results         []layoutView    `json:"results"`
	Errors          []layoutFailure `json:"errors"`
	TotalLayouts    int             `json:"totalLayouts"`
	TotalRendered   int             `json:"totalRendered"`
	TotalErrors     int             `json:"totalErrors"`
	TemplateUID     string          `json:"templateUid"`
	TemplateVersion int64           `json:"templateVersion,omitempty"` // not of a draft
}

// envelope shows the pictures of st.
func (s *Server) envelope(ctx context.Context, st *sitting, pictures []Drawn) (envelopeView, error) {
	view := envelopeView{
		Results: []layoutView{}, Errors: []layoutFailure{}, TotalLayouts: len(pictures),
		TemplateUID: st.name, TemplateVersion: st.version,
	}
	for i, p := range pictures {
		output, size := st.order.Outputs[i], st.sizeOf(i).Name
		if p.Problem != nil {
			view.Errors = append(view.Errors, layoutFailure{size, output.Name, p.Problem.Message, p.Problem.Code, p.Problem.Field})
			continue
		}
		shown, err := s.viewOf(ctx, st, i, p)
		if err != nil {
			return view, err
		}
		if len(view.Results) == 0 {
			view.pictureView = shown
			view.Base64, view.Metadata = "", st.order.Metadata
		}
		view.Results = append(view.Results, layoutView{size, output.Name, output.Theme, shown})
	}
	if len(pictures) == 1 {
		view.Base64 = view.Results[0].Base64
	}
	view.TotalRendered, view.TotalErrors = len(view.Results), len(view.Errors)
	return view, nil
}

// viewOf shows the picture of one output.
func (s *Server) viewOf(ctx context.Context, st *sitting, output int, p Drawn) (pictureView, error) {
	view := pictureView{
		URL: s.imageURL(p.Hash, p.Ext), ID: "img_" + st.wants[output].Fingerprint[:24], Width: p.Width, Height: p.Height,
		Format: st.order.Outputs[output].Format, Size: p.Bytes, CreatedAt: p.At.UTC(), Cached: p.Cached, ContentHash: p.Hash,
		RenderMs: float64(p.Duration.Microseconds()) / 1000, Warnings: p.Fitting.Warnings(""),
	}
	if view.Warnings == nil {
		view.Warnings = []bindings.Warning{}
	}
	if st.order.Response != batch.AnswerBase64 {
		return view, nil
	}
	data, err := s.bytesOf(ctx, p)
	view.Base64 = base64.StdEncoding.EncodeToString(data)
	return view, err
}

func (s *Server) bytesOf(ctx context.Context, p Drawn) ([]byte, error) {
	file, _, err := s.deps.Blobs.Open(ctx, p.Hash)
	if err != nil {
		return nil, fmt.Errorf("open image %s: %w", p.Hash, err)
	}
	defer file.Close()
	return io.ReadAll(file)
}

// sendPicture answers with the bytes of a picture, and says in headers what the
// JSON would.
func (s *Server) sendPicture(w http.ResponseWriter, r *http.Request, st *sitting, p Drawn) error {
	file, size, err := s.deps.Blobs.Open(r.Context(), p.Hash)
	if err != nil {
		return fmt.Errorf("open image %s: %w", p.Hash, err)
	}
	defer file.Close()
	h := w.Header()
	h.Set("Content-Type", contentTypes[p.Ext])
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Location", s.imageURL(p.Hash, p.Ext))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Cached", strconv.FormatBool(p.Cached))
	h.Set("Content-Disposition", disposition(fileOf(st, p)))
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, file) // a client that has gone reads nothing
	return nil
}

// fileOf is the file that a picture is saved as.
func fileOf(st *sitting, p Drawn) file {
	return file{hash: p.Hash, ext: p.Ext, name: cmp.Or(st.order.FileName, st.name, "image")}
}
