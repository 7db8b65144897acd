package template

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	extension = ".html"
	maxAssets = 64 << 20 // bytes that one template's assets may have together
)

// List names the templates of a folder, sorted: its files NAME.html, without
// those of subfolders.
func List(fsys fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), extension)
		if ok && name != "" && !strings.HasPrefix(name, ".") && !e.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Load reads the template name from its folder, with the files under assets/
// that its document refers to, by path. Where a value decides which picture is
// shown, that may be any of the template's own folder, assets/NAME; where there
// is no such folder, any in assets/. A file that is missing is left out: Parse
// reports it at its place.
func Load(fsys fs.FS, name string) (src []byte, assets map[string][]byte, err error) {
	if strings.Contains(name, "/") || !fs.ValidPath(name+extension) {
		return nil, nil, problem.New(problem.NotFound, "%q cannot be the name of a template", name)
	}
	src, err = fs.ReadFile(fsys, name+extension)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, problem.New(problem.NotFound, "there is no template %q", name)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read template %q: %w", name, err)
	}
	paths, dynamic := namedAssets(name, src)
	if dynamic {
		pictures, err := ownPictures(fsys, name)
		if err != nil {
			return nil, nil, fmt.Errorf("list the assets of template %q: %w", name, err)
		}
		paths = append(paths, pictures...)
	}
	assets, err = readAssets(fsys, name, paths)
	return src, assets, err
}

// namedAssets are the assets that the document names, and whether values may
// name any.
func namedAssets(name string, src []byte) (paths []string, dynamic bool) {
	book := addressBook{lookup: func(p string) (string, bool) {
		paths = append(paths, p)
		return "", true
	}}
	d, _ := read(name, src, book, nil) // Parse reports its problems
	if d == nil {
		return nil, false
	}
	dynamic = slices.ContainsFunc(d.slots, func(s *slot) bool { return s.place.address() }) ||
		slices.ContainsFunc(d.manifest.vars, func(v Var) bool { return v.Type == Image || v.Type == URL })
	return paths, dynamic
}

var pictureExt = regexp.MustCompile(`(?i)\.(?:png|jpe?g|gif|webp|avif|svg)$`)

// ownPictures are the pictures that a value may name.
func ownPictures(fsys fs.FS, name string) ([]string, error) {
	dir := assetDir + name
	if info, err := fs.Stat(fsys, dir); err != nil || !info.IsDir() {
		dir = strings.TrimSuffix(assetDir, "/")
	}
	var paths []string
	err := fs.WalkDir(fsys, dir, func(p string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case strings.HasPrefix(path.Base(p), ".") && e.IsDir():
			return fs.SkipDir
		case e.Type().IsRegular() && !strings.HasPrefix(path.Base(p), ".") && pictureExt.MatchString(p):
			paths = append(paths, p)
		}
		return nil
	})
	return paths, err
}

func readAssets(fsys fs.FS, name string, paths []string) (map[string][]byte, error) {
	assets := map[string][]byte{}
	total := int64(0)
	for _, p := range paths {
		if _, ok := assets[p]; ok || !fs.ValidPath(p) || !strings.HasPrefix(p, assetDir) {
			continue
		}
		info, err := fs.Stat(fsys, p)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read asset %q of template %q: %w", p, name, err)
		}
		if total += info.Size(); total > maxAssets {
			return nil, problem.New(problem.TooLarge, "the assets of template %q have more than the %d MiB allowed", name, maxAssets>>20).
				WithHint("use smaller pictures; the next one is %s", p)
		}
		if assets[p], err = fs.ReadFile(fsys, p); err != nil {
			return nil, fmt.Errorf("read asset %q of template %q: %w", p, name, err)
		}
	}
	return assets, nil
}
