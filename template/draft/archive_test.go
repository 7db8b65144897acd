package draft

import (
	"archive/zip"
	"bytes"
	"testing"
)

func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"a.html", "assets/a.png"} {
		out, err := w.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		if _, err := out.Write([]byte(name)); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Unpack(data)
		if err != nil {
			return
		}
		for path := range p.Assets {
			if !isAsset(path) {
				t.Errorf("an asset at %q", path)
			}
		}
	})
}
