package httpsink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"unicode"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// types are those of pictures, by their extension.
var types = map[string]string{
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
	"avif": "image/avif", "gif": "image/gif", "pdf": "application/pdf",
}

func typeOfPicture(o sink.Output) string { return orElse(types[o.Ext], "application/octet-stream") }

type imageBody struct{ contentType string }

func (b *imageBody) fill(w *filler) body {
	length := w.lengthOf(w.output)
	return body{orElse(b.contentType, typeOfPicture(w.output)), length, func() (io.ReadCloser, error) { return w.open(w.output) }}
}

// open opens the bytes of a picture.
func (w *filler) open(o sink.Output) (io.ReadCloser, error) {
	picture, err := w.bytes(w.ctx, o.Hash)
	if err != nil {
		return nil, fmt.Errorf("open the picture %q: %w", o.Name, err)
	}
	return picture, nil
}

// lengthOf is how many bytes a picture has: receivers want to know it first.
func (w *filler) lengthOf(o sink.Output) int64 {
	if w.err != nil {
		return 0
	}
	picture, err := w.open(o)
	if err != nil {
		w.fail(err)
		return 0
	}
	defer picture.Close()
	var length int64
	if file, ok := picture.(io.Seeker); ok {
		length, err = file.Seek(0, io.SeekEnd)
	} else {
		length, err = io.Copy(io.Discard, picture)
	}
	if err != nil {
		w.fail(fmt.Errorf("read the picture %q: %w", o.Name, err))
	}
	return length
}

// A multipartBody has its texts before its files: receivers that stop at the file
// have read them.
type multipartBody struct {
	texts []field
	files []file
}

type file struct {
	field  string
	output string // "": that of the request
	name   *expr.Interpolation
}

func (w *writer) multipart(path string, parts map[string]Part) *multipartBody {
	b := &multipartBody{}
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		part, at := parts[name], path+"."+name
		if !part.Image {
			b.texts = append(b.texts, field{name, &tree{program: w.program(at, part.Text, fields.Names())}})
			continue
		}
		b.files = append(b.files, file{name, part.Output, w.text(at+".name", orElse(part.Name, "{{ output }}.{{ ext }}"))})
	}
	return b
}

// plain keeps what would break a header out of the name of a file.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return '-'
		}
		return c
	}, text)
}

// fill writes what stands around the pictures, and puts them in as they are read.
func (b *multipartBody) fill(w *filler) body {
	var around bytes.Buffer
	form := multipart.NewWriter(&around)
	// The same at every try, and nothing that a picture could hold.
	sum := sha256.Sum256([]byte(w.id))
	_ = form.SetBoundary(hex.EncodeToString(sum[:30]))
	for _, f := range b.texts {
		for _, text := range f.texts("multipart", w) {
			_ = form.WriteField(f.name, text)
		}
	}
	var parts []func() (io.ReadCloser, error)
	var length int64
	cut := func() {
		text := bytes.Clone(around.Bytes())
		length += int64(len(text))
		parts = append(parts, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil })
		around.Reset()
	}
	for _, f := range b.files {
		o, ok := w.picture(f.output)
		if !ok {
			continue
		}
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", multipart.FileContentDisposition(f.field, w.with(o).text("multipart."+f.field+".name", f.name, plain)))
		header.Set("Content-Type", typeOfPicture(o))
		_, _ = form.CreatePart(header)
		cut()
		length += w.lengthOf(o)
		parts = append(parts, func() (io.ReadCloser, error) { return w.open(o) })
	}
	_ = form.Close()
	cut()
	return body{form.FormDataContentType(), length, func() (io.ReadCloser, error) { return openAll(parts) }}
}

// A chain reads one after the other, and closes all.
type chain struct {
	io.Reader
	closers []io.Closer
}

func openAll(parts []func() (io.ReadCloser, error)) (io.ReadCloser, error) {
	c := &chain{}
	var readers []io.Reader
	for _, open := range parts {
		part, err := open()
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		readers, c.closers = append(readers, part), append(c.closers, part)
	}
	c.Reader = io.MultiReader(readers...)
	return c, nil
}

func (c *chain) Close() error {
	var err error
	for _, closer := range c.closers {
		err = errors.Join(err, closer.Close())
	}
	return err
}

type opener func(ctx context.Context, hash string) (io.ReadCloser, error)
