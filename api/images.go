package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// contentTypes are the kinds of file that are served, by their extension.
var contentTypes = map[string]string{
	"png":  "image/png",
	"jpg":  "image/jpeg",
	"jpeg": "image/jpeg",
	"webp": "image/webp",
	"avif": "image/avif",
	"gif":  "image/gif",
	"pdf":  "application/pdf",
}

const (
	immutable = "public, max-age=31536000, immutable"
	// A shared cache may keep the bytes, and asks each time whether they are the newest.
	askAgain    = "public, no-cache"
	askAgainOwn = "private, no-cache"
	notReadyFor = 2 * time.Second
)

// splitFile splits the last segment of an image's path at its last dot.
func splitFile(segment string) (name, ext string, ok bool) {
	dot := strings.LastIndexByte(segment, '.')
	if dot <= 0 {
		return "", "", false
	}
	return segment[:dot], segment[dot+1:], contentTypes[segment[dot+1:]] != ""
}

// serveImage serves bytes under their hash, for ever.
func (s *Server) serveImage(w http.ResponseWriter, r *http.Request) error {
	openToAll(w.Header())
	hash, ext, ok := splitFile(r.PathValue("file"))
	if !ok || !isHash(hash) {
		return problem.New(problem.NotFound, "there is no image %s", r.URL.Path).WithSlug(slugImageNotFound).
			WithHint("the path is /images/HASH.EXT, as results and deliveries give it")
	}
	return s.serveBytes(w, r, file{hash, ext, hash}, immutable, time.Time{})
}

// isHash keeps whatever is no SHA-256 from the blobs.
func isHash(text string) bool {
	if len(text) != 64 {
		return false
	}
	return strings.Trim(text, "0123456789abcdef") == ""
}

// A file is bytes that are served, under a name for people.
type file struct{ hash, ext, name string }

// serveBytes answers with the bytes of f, or that the client has them.
func (s *Server) serveBytes(w http.ResponseWriter, r *http.Request, f file, caching string, changed time.Time) error {
	bytes, _, err := s.deps.Blobs.Open(r.Context(), f.hash)
	if problem.CodeOf(err) == problem.NotFound && err != nil {
		if s.deps.Elsewhere != nil {
			s.handOn(w, r)
			return nil
		}
		return s.vanished(r, f.hash, err)
	}
	if err != nil {
		return fmt.Errorf("open image %s: %w", f.hash, err)
	}
	defer bytes.Close()
	h := w.Header()
	h.Set("Content-Type", contentTypes[f.ext])
	h.Set("Cache-Control", caching)
	h.Set("ETag", etagOfBytes(f.hash))
	if f.ext == "pdf" { // Chrome's viewer shows nothing in a sandbox, and is one
		h.Set("Content-Disposition", disposition(f))
	} else {
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	}
	http.ServeContent(w, r, "", changed, bytes)
	return nil
}

// maxName is how many characters of a key are in the name of a file.
const maxName = 100

// disposition has a file shown where it can be, and saved under its name: one
// that is a name on every system.
func disposition(f file) string {
	name := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || strings.ContainsRune(`<>:"/\|?*`, c) {
			return '-'
		}
		return c
	}, f.name)
	if letters := []rune(name); len(letters) > maxName {
		name = string(letters[:maxName])
	}
	return mime.FormatMediaType("inline", map[string]string{"filename": strings.TrimLeft(name, ". ") + "." + f.ext})
}

// vanished has an image made again whose bytes are gone, if it is known.
func (s *Server) vanished(r *http.Request, hash string, cause error) error {
	making, err := s.deps.Images.Remake(r.Context(), hash)
	switch {
	case err != nil:
		return fmt.Errorf("make image %s again: %w", hash, err)
	case making:
		return retry.After(problem.New(problem.NotFound, "the bytes of this image have vanished, and it is being made again").
			WithSlug(slugNotReady).WithHint("ask again after the seconds of Retry-After"), notReadyFor)
	}
	return problem.New(problem.NotFound, "the bytes of this image are not kept any more: %w", cause).WithSlug(slugImageNotFound)
}

// A place is what a path under /b names.
type place struct {
	binding string
	key     string // canonical
	output  string // "": the first with ext
	ext     string
}

// parsePlace reads BINDING/KEY.EXT or BINDING/KEY/OUTPUT.EXT, still encoded.
func parsePlace(escaped string) (place, error) {
	parts := strings.Split(escaped, "/")
	if len(parts) != 2 && len(parts) != 3 {
		return place{}, errors.New("it has too few or too many parts")
	}
	name, ext, ok := splitFile(parts[len(parts)-1])
	if !ok {
		return place{}, errors.New("it does not end in the extension of an image")
	}
	p := place{binding: parts[0], key: name, ext: ext}
	if len(parts) == 3 {
		p.key, p.output = parts[1], name
	}
	var err error
	p.key, err = bindings.NormalKey(p.key)
	return p, err
}

// serveStable serves the newest image of a binding's row.
func (s *Server) serveStable(w http.ResponseWriter, r *http.Request) error {
	p, err := parsePlace(strings.TrimPrefix(r.URL.EscapedPath(), "/b/"))
	b, known := s.configured(p.binding)
	if s.deps.Elsewhere != nil && !(known && err == nil && b.Public && !b.Live.On()) {
		s.handOn(w, r) // who may see it, and who asks its source, is the holder's matter
		return nil
	}
	switch {
	case known && b.Public, s.signed(r):
		openToAll(w.Header())
	default:
		s.cors.forHolder(w, r)
		// Asked before anything else, so that nobody can try out names.
		if err := s.mayRead(r, b); err != nil {
			return err
		}
	}
	if err != nil {
		return problem.New(problem.NotFound, "%s names no image: %w", r.URL.Path, err).WithSlug(slugImageNotFound).
			WithHint("the path is /b/BINDING/KEY.EXT or /b/BINDING/KEY/OUTPUT.EXT, with the key percent-encoded, / and . too")
	}
	if !known {
		return s.noBinding(p.binding)
	}
	if output, ok := outputOf(p, b); ok && b.Live.On() {
		p.output = output
		return s.serveLive(w, r, p, b, s.mayAsk(r, b))
	}
	image, err := s.imageOf(r.Context(), p)
	if err != nil && s.deps.Elsewhere != nil {
		s.handOn(w, r)
		return nil
	}
	if waitsFor(err) {
		return s.servePlaceholder(w, r, p, b, err)
	}
	if err != nil {
		return err
	}
	return s.serveNewest(w, r, p, image, askingAgain(b))
}

// serveNewest serves the bytes of image, or that the client has them.
func (s *Server) serveNewest(w http.ResponseWriter, r *http.Request, p place, image bindings.Image, caching string) error {
	if has(r, image.Hash) {
		w.Header().Set("Cache-Control", caching)
		w.Header().Set("ETag", etagOfBytes(image.Hash))
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return s.serveBytes(w, r, file{image.Hash, p.ext, bindings.KeyText(p.key)}, caching, image.RenderedAt)
}

// has reports, in the usual case, whether the client has the bytes: without a
// look at the disk. The others are http.ServeContent's.
func has(r *http.Request, hash string) bool {
	return r.Header.Get("If-None-Match") == etagOfBytes(hash) && r.Header.Get("If-Match") == "" && r.Header.Get("If-Unmodified-Since") == ""
}

func etagOfBytes(hash string) string { return `"` + hash + `"` }

// mayRead asks for a key that reads images.
func (s *Server) mayRead(r *http.Request, b Binding) error {
	p, err := s.permit(r, ImagesRead)
	if err == nil && b.Template != "" && !p.uses(b.Template) {
		err = problem.New(problem.Forbidden, "the key %q is not for the template of this binding", p.name).WithSlug(slugScope)
	}
	return err
}

// describeImage adds to what the store says when a client may ask again.
func describeImage(p place, err error) error {
	var known *problem.Error
	switch {
	case !errors.As(err, &known):
		return fmt.Errorf("find image %s/%s: %w", p.binding, p.key, err)
	case known.Slug == slugNotReady:
		return notReady(p)
	}
	return err
}

func notReady(p place) error {
	return retry.After(problem.New(problem.NotFound, "the image of %q is being made", bindings.KeyText(p.key)).
		WithSlug(slugNotReady).WithHint("ask again after the seconds of Retry-After"), notReadyFor)
}

// unservable is why an image has no bytes to serve now.
func unservable(p place, image bindings.Image) error {
	switch {
	case image.Removed:
		return problem.New(problem.NotFound, "the row %q is gone, and its image with it", bindings.KeyText(p.key)).WithSlug(slugImageRemoved)
	case image.Hash == "" && image.Problem != nil && !image.Waiting:
		return problem.New(problem.NotFound, "the row %q has no image: %s", bindings.KeyText(p.key), image.Problem.Message).
			WithSlug(slugImageFailed).At(image.Problem.Field).WithHint("correct the row in its source; the image follows by itself")
	case image.Hash == "":
		return notReady(p)
	}
	return nil
}
