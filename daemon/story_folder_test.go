package daemon

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// pictures are the files in out/ by their names.
func (s *site) pictures() map[string][]byte {
	s.tb.Helper()
	paths, err := filepath.Glob(filepath.Join(s.dir, "out", "*", "*.png"))
	if err != nil {
		s.tb.Fatal(err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		if all[strings.TrimPrefix(path, filepath.Join(s.dir, "out")+"/")], err = os.ReadFile(path); err != nil {
			s.tb.Fatal(err)
		}
	}
	return all
}

// mustChange waits until a picture is another one, and no other is.
func (s *site) mustChange(t *testing.T, name string, before map[string][]byte) map[string][]byte {
	t.Helper()
	eventually(t, "another "+name, func() bool {
		now := s.pictures()[name]
		return len(now) > 0 && !bytes.Equal(now, before[name])
	})
	after := s.pictures()
	for other, data := range before {
		if other != name && !bytes.Equal(data, after[other]) {
			t.Errorf("%s is another picture, and its row has not changed", other)
		}
	}
	return after
}

func TestFolderWorkbookAndStaticRowsGetTheirPictures(t *testing.T) {
	s := newStory(t, "folder")
	s.run(Options{})
	eventually(t, "a picture for each row", func() bool { return len(s.pictures()) == 11 })
	all := s.pictures()
	for name, size := range map[string]image.Point{
		"shelf-tags/north,00041.png": {X: 800, Y: 480}, "shelf-tags/south,00041.png": {X: 800, Y: 480}, "specials/00107.png": {X: 800, Y: 480}, "badges/3.png": {X: 680, Y: 430},
	} {
		if got, _, err := image.DecodeConfig(bytes.NewReader(all[name])); err != nil || got.Width != size.X || got.Height != size.Y {
			t.Errorf("%s is of %dx%d, %v", name, got.Width, got.Height, err)
		}
	}

	s.write("prices/north.csv", strings.Replace(s.read("prices/north.csv"), "1.034,50", "1.099,00", 1))
	all = s.mustChange(t, "shelf-tags/north,00107.png", all)
	s.write("prices/west.csv", "sku\tname\tprice\n00041\tRye bread\t4,10\n")
	all = s.mustChange(t, "shelf-tags/west,00041.png", all)

	book, err := excelize.OpenFile(filepath.Join(s.dir, "specials.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if err := book.SetCellValue("Specials", "B4", "Plum cake"); err != nil {
		t.Fatal(err)
	}
	if err := book.Save(); err != nil {
		t.Fatal(err)
	}
	s.mustChange(t, "specials/00220.png", all)
}
