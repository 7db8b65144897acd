package draft

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// How large a template may be that travels.
const (
	MaxDocument = 8 << 20  // bytes of its text
	MaxAssets   = 64 << 20 // of its assets together
	MaxArchive  = 74 << 20 // of both in an archive, which need not be packed well
	maxFiles    = 2000
)

// BadArchive is the slug of an archive that is not one of a template.
const BadArchive = "bad_archive"

// Pack writes a version with its assets as a ZIP: NAME.html, and the assets at
// their paths. The same version gives the same bytes. openFunc opens an asset by
// its digest.
func Pack(ctx context.Context, w io.Writer, v template.Version, openFunc func(ctx context.Context, digest string) (io.ReadCloser, error)) error {
	archive := zip.NewWriter(w)
	out, err := archive.Create(v.Name + ".html")
	if err != nil {
		return err
	}
	if _, err := out.Write(v.Source); err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(v.Assets)) {
		if err := packAsset(ctx, archive, path, v.Assets[path], openFunc); err != nil {
			return fmt.Errorf("pack %s of template %q: %w", path, v.Name, err)
		}
	}
	return archive.Close()
}

func packAsset(ctx context.Context, archive *zip.Writer, path, digest string, openFunc func(ctx context.Context, digest string) (io.ReadCloser, error)) error {
	r, err := openFunc(ctx, digest)
	if err != nil {
		return err
	}
	defer r.Close()
	// Pictures are packed already.
	out, err := archive.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return err
}

// Unpack reads an archive that has one NAME.html at its top, and nothing else but
// files under assets/. It takes no more memory than the limits, whatever the
// archive says of its sizes.
func Unpack(data []byte) (p Push, err error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return p, badArchive("it cannot be read: %w", err)
	}
	if len(archive.File) > maxFiles {
		return p, badArchive("it has more than %d files", maxFiles)
	}
	p.Assets = map[string][]byte{}
	left := int64(MaxAssets)
	for _, f := range archive.File {
		name, isDocument := strings.CutSuffix(f.Name, ".html")
		switch {
		case strings.HasSuffix(f.Name, "/"): // a folder, whose files are named whole
		case isDocument && !strings.Contains(name, "/"):
			if p.Name != "" {
				return p, badArchive("it has two documents, %s.html and %s", p.Name, f.Name)
			}
			p.Name = name
			if p.Source, err = extract(f, MaxDocument); err != nil {
				return p, err
			}
		case isAsset(f.Name):
			if p.Assets[f.Name], err = extract(f, left); err != nil {
				return p, err
			}
			left -= int64(len(p.Assets[f.Name]))
		default:
			return p, badArchive("%q is neither NAME.html nor under assets/", f.Name)
		}
	}
	if p.Name == "" {
		return p, badArchive("it has no NAME.html")
	}
	return p, nil
}

// isAsset reports whether a path is one that an asset may have, and leads
// nowhere else on any system.
func isAsset(name string) bool {
	return fs.ValidPath(name) && strings.HasPrefix(name, "assets/") && !strings.Contains(name, "/.") && !strings.ContainsAny(name, "\\:\x00")
}

// extract reads one file.
func extract(f *zip.File, limit int64) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, badArchive("%s: %w", f.Name, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, badArchive("%s: %w", f.Name, err)
	}
	if int64(len(data)) > limit {
		return nil, problem.New(problem.TooLarge, "the archive has more than the %d MiB of text or the %d MiB of assets allowed", MaxDocument>>20, MaxAssets>>20).
			WithHint("use smaller pictures; the next one is %s", f.Name)
	}
	return data, nil
}

func badArchive(format string, args ...any) error {
	return problem.New(problem.Invalid, "the archive is not one of a template: "+format, args...).WithSlug(BadArchive)
}
