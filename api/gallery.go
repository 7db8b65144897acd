package api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	galleryPage = 48
	galleryMost = 200
	maxPlaces   = 100 // of the same bytes, that are told
)

// A Gallery tells which images there are, and of one what it is made of.
type Gallery interface {
	// Gallery are images with bytes that a filter takes, newest first, at most limit;
	// next is where the next page begins, nil at the end. A page may have fewer.
	Gallery(ctx context.Context, f bindings.ImageFilter, limit int) (page []bindings.Shown, next *bindings.ImagePlace, err error)
	// ImagesOf are the places that show the bytes of a hash, newest first.
	ImagesOf(ctx context.Context, hash string, limit int) ([]bindings.Shown, error)
	// AboutImage is what one of them is made of.
	AboutImage(ctx context.Context, of bindings.Shown) (ImageAbout, error)
}

// An ImageAbout is what an image is made of, where it comes from, and what it was.
type ImageAbout struct {
	Texts   []ImageText
	Row     json.RawMessage // as it is stored now, or as it was sent; nil: it is gone
	Redrawn string          // ByRow, ByTemplate, ByOptions; "" where nothing is known of the picture before
	Changed []TextChange
	Past    *bindings.Past // nil where nothing is known, or its bytes are gone

	Source    string               // "" of an image of a job
	Position  string               // where the source was read to; "" where it says nothing that a person can read
	Freshness connectors.Freshness // of the source
}

// An ImageText is a text of a picture.
type ImageText struct {
	Variable string `json:"variable,omitempty"` // behind it; several joined by commas
	Text     string `json:"text"`
}

// A galleryImage is an image of the gallery, with how it was made.
type galleryImage struct {
	imageView

	ID      string `json:"id"`              // of the place: it stays the same when the image is made anew
	Index   *int64 `json:"index,omitempty"` // of the row of a job
	Waiting bool   `json:"waiting"`         // a newer one is wanted

	Template string             `json:"template"` // "" where it is not known any more how the image was made
	Version  int64              `json:"version"`
	Size     string             `json:"size"`
	Theme    string             `json:"theme,omitempty"`
	Page     int                `json:"page,omitempty"` // of the template, from 1; 0 is the first, -1 every one
	Bytes    int64              `json:"bytes"`
	RenderMs float64            `json:"renderMs"`
	Warnings []bindings.Warning `json:"warnings"`
}

func viewOfShown(g bindings.Shown) galleryImage {
	v := galleryImage{imageView: viewOfImage(g.Image), Waiting: g.Waiting, Warnings: list(g.Warnings())}
	v.ID = string(g.Owner) + "/" + g.Key + "/" + g.Output
	if g.Owner.Job() != "" {
		v.ID = fmt.Sprintf("%s/%d/%s", g.Owner, g.Index, g.Output)
		v.Index = &g.Index
		v.Name = g.Key
	}
	if m := g.Made; m != nil {
		v.Template, v.Version, v.Size, v.Theme, v.Page = m.Spec.Template, m.Spec.Version, m.Spec.Size, m.Spec.Theme, m.Spec.Number
		v.Bytes, v.RenderMs = m.Bytes, inMillis(m.Duration)
	}
	return v
}

// inMillis is d in milliseconds, to the microsecond.
func inMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A galleryPageView is a page of images, newest first.
type galleryPageView struct {
	Images     []galleryImage `json:"images"`
	NextCursor *string        `json:"nextCursor"` // the cursor of the next page, null at the end
}

// listImages gives a page of the images that the filters of the query take.
func (s *Server) listImages(w http.ResponseWriter, r *http.Request) error {
	limit, err := intParam(r, "limit", galleryPage, 1, galleryMost)
	if err != nil {
		return err
	}
	f, err := imageFilter(r, time.Now())
	if err != nil {
		return err
	}
	page, next, err := s.deps.Gallery.Gallery(r.Context(), f, limit)
	if err != nil {
		return fmt.Errorf("list images: %w", err)
	}
	view := galleryPageView{Images: []galleryImage{}}
	for _, g := range page {
		view.Images = append(view.Images, viewOfShown(g))
	}
	if next != nil {
		cursor := imageCursor(*next)
		view.NextCursor = &cursor
	}
	return answer(w, http.StatusOK, view)
}

// imageWarnings are the words of ?warning=.
var imageWarnings = []string{bindings.AnyWarning, bindings.TextClipped, bindings.ImageInstead, bindings.LayoutIgnored, bindings.GlyphMissing}

// imageFilter reads which images are wanted, and leaves out those that the asker
// must not see.
func imageFilter(r *http.Request, now time.Time) (f bindings.ImageFilter, err error) {
	q := r.URL.Query()
	f = bindings.ImageFilter{Template: q.Get("template"), Format: q.Get("format"), Size: q.Get("size"), Templates: asker(r.Context()).templates}
	if f.Owner, err = imageOwner(q.Get("binding"), q.Get("job")); err != nil {
		return f, err
	}
	if f.Key, err = keyOfDelivery(q.Get("key"), q.Get("job")); err != nil {
		return f, err
	}
	if f.Warning, err = wordParam(r, "warning", imageWarnings); err != nil {
		return f, err
	}
	if f.Since, err = sinceOf(q.Get("since"), now); err != nil {
		return f, err
	}
	if f.Until, err = momentOf("until", q.Get("until"), now); err != nil {
		return f, err
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return f, problem.New(problem.Invalid, "until is not behind since").WithSlug("out_of_range").At("until").WithHint("change one of them")
	}
	if text := q.Get("cursor"); text != "" {
		if f.Behind, err = readImageCursor(text); err != nil {
			return f, problem.New(problem.Invalid, "%q is no cursor", text).WithSlug("out_of_range").At("cursor").
				WithHint("give the nextCursor of the page before")
		}
	}
	return f, nil
}

// imageOwner is whose images are meant; "" is everybody's.
func imageOwner(binding, job string) (bindings.Owner, error) {
	switch {
	case binding != "" && job != "":
		return "", problem.New(problem.Invalid, "an image is of a binding or of a job, not of both").WithSlug("out_of_range").At("job").
			WithHint("leave out one of them")
	case binding != "":
		return bindings.BindingOwner(binding), nil
	case job != "":
		return bindings.JobOwner(job), nil
	}
	return "", nil
}

// wordParam is a parameter of the query that is one of some words, or "".
func wordParam(r *http.Request, name string, words []string) (string, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return "", nil
	}
	for _, word := range words {
		if text == word {
			return text, nil
		}
	}
	return "", problem.New(problem.Invalid, "%s is %q", name, text).WithSlug("out_of_range").At(name).WithHint("it is one of %s", strings.Join(words, ", "))
}

// imageCursor is the place of an image in the list, as a caller gives it back.
func imageCursor(p bindings.ImagePlace) string {
	text, _ := json.Marshal([]string{strconv.FormatInt(p.RenderedAt.UnixMilli(), 36), string(p.Owner), strconv.FormatInt(p.Index, 36), p.Key, p.Output}) // of strings alone
	return base64.RawURLEncoding.EncodeToString(text)
}

func readImageCursor(text string) (*bindings.ImagePlace, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	var parts []string
	if err := json.Unmarshal(data, &parts); err != nil {
		return nil, err
	}
	if len(parts) != 5 {
		return nil, errNoCursor
	}
	ms, err := strconv.ParseInt(parts[0], 36, 64)
	if err != nil {
		return nil, err
	}
	index, err := strconv.ParseInt(parts[2], 36, 64)
	return &bindings.ImagePlace{RenderedAt: time.UnixMilli(ms), Owner: bindings.Owner(parts[1]), Index: index, Key: parts[3], Output: parts[4]}, err
}

// An aboutView is what an image is made of, where it comes from, and what it was.
type aboutView struct {
	Image       galleryImage    `json:"image"`
	Fingerprint string          `json:"fingerprint,omitempty"`
	Texts       []ImageText     `json:"texts"` // on the picture, in the order of the document
	Row         json.RawMessage `json:"row"`   // as it is stored now; of a job as it was sent; null: it is gone, or not the key's to read
	Render      *renderView     `json:"render"`
	Previous    *previousView   `json:"previous"`
	Source      *rowSourceView  `json:"source,omitempty"`
	Places      int             `json:"places"` // that show these bytes, at most 100 are counted
}

// A previousView is what an image showed before, in other bytes.
type previousView struct {
	Path       string     `json:"path"`
	Generation int64      `json:"generation"`
	RenderedAt *time.Time `json:"renderedAt"`
	Template   string     `json:"template,omitempty"`
	Version    int64      `json:"version,omitempty"`
	Width      int        `json:"width"`
	Height     int        `json:"height"`
}

// aboutImage tells what an image is made of. The query says which of the places that
// show the same bytes is meant; the newest is, where it says nothing.
func (s *Server) aboutImage(w http.ResponseWriter, r *http.Request) error {
	hash, _, ok := splitFile(r.PathValue("file"))
	if !ok || !isHash(hash) {
		return noSuchImage(r)
	}
	places, err := s.deps.Gallery.ImagesOf(r.Context(), hash, maxPlaces)
	if err != nil {
		return fmt.Errorf("look for image %s: %w", hash, err)
	}
	found, seen, err := s.placeAsked(r, places)
	if err != nil {
		return err
	}
	about, err := s.deps.Gallery.AboutImage(r.Context(), found)
	if err != nil {
		return fmt.Errorf("tell about image %s: %w", hash, err)
	}
	view := viewOfAbout(found, about, seen)
	if p := asker(r.Context()); found.Owner.Job() == "" && !p.may(BindingsRead) || found.Owner.Job() != "" && !p.may(RendersRead) {
		view.Row, view.Source = nil, nil
	}
	return answer(w, http.StatusOK, view)
}

func noSuchImage(r *http.Request) error {
	return problem.New(problem.NotFound, "nothing shows the image of %s", r.URL.Path).WithSlug(slugImageNotFound).
		WithHint("the path is /images/HASH.EXT/about, with the path of an image that a row or a job has now")
}

// placeAsked is the place that r means, and how many the asker sees.
func (s *Server) placeAsked(r *http.Request, places []bindings.Shown) (found bindings.Shown, seen int, err error) {
	q := r.URL.Query()
	owner, err := imageOwner(q.Get("binding"), q.Get("job"))
	if err != nil {
		return found, 0, err
	}
	key, err := keyOfDelivery(q.Get("key"), q.Get("job"))
	if err != nil {
		return found, 0, err
	}
	p, met := asker(r.Context()), false
	for _, g := range places {
		if g.Made == nil && len(p.templates) > 0 || g.Made != nil && !p.uses(g.Made.Spec.Template) {
			continue
		}
		seen++
		if !met && (owner == "" || owner == g.Owner) && (key == "" || key == g.Key) && (q.Get("output") == "" || q.Get("output") == g.Output) {
			found, met = g, true
		}
	}
	if !met {
		return found, 0, noSuchImage(r)
	}
	return found, seen, nil
}

func viewOfAbout(g bindings.Shown, a ImageAbout, places int) aboutView {
	v := aboutView{Image: viewOfShown(g), Texts: list(a.Texts), Row: a.Row, Places: places}
	if m := g.Made; m != nil {
		v.Fingerprint = m.Fingerprint
		v.Render = &renderView{
			Fingerprint: m.Fingerprint, Template: m.Spec.Template, TemplateVersion: m.Spec.Version, State: m.State, Attempts: m.Attempts, Bytes: m.Bytes,
			DurationMs: inMillis(m.Duration), Lane: m.Lane, WantedAt: moment(m.WantedAt), EndedAt: moment(m.EndedAt), ChangedBy: a.Redrawn, Texts: a.Changed,
		}
	}
	if p := a.Past; p != nil {
		v.Previous = &previousView{Path: "/images/" + p.Hash + "." + p.Ext, Generation: p.Generation, RenderedAt: moment(p.RenderedAt), Width: p.Width, Height: p.Height}
		if p.Made != nil {
			v.Previous.Template, v.Previous.Version = p.Made.Spec.Template, p.Made.Spec.Version
		}
	}
	if a.Source != "" {
		v.Source = viewOfRowSource(a.Source, a.Position, a.Freshness)
	}
	return v
}
