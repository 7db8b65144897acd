package overlay

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"
)

func TestOwnFilesStandBeforeThoseOfTheBase(t *testing.T) {
	base := fstest.MapFS{"card.html": {Data: []byte("old")}, "assets/a.txt": {Data: []byte("asset")}}
	f := New(base, map[string][]byte{"card.html": []byte("new text"), "more/new.html": []byte("more")})
	for path, want := range map[string]string{"card.html": "new text", "assets/a.txt": "asset", "more/new.html": "more"} {
		if got, err := fs.ReadFile(f, path); err != nil || string(got) != want {
			t.Errorf("%s is %q, want %q (%v)", path, got, want, err)
		}
	}
	info, err := fs.Stat(f, "more/new.html")
	if err != nil || info.Size() != 4 || info.Name() != "new.html" || !info.Mode().IsRegular() {
		t.Errorf("stat: %v, %v", info, err)
	}
	if _, err := f.Open("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is nowhere: %v", err)
	}
}
