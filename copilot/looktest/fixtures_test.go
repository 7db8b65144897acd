package looktest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/template"
)

// Pictures are kept where PICTIFYD_PICTURES names a folder.
func TestFixturesAreDrawnWithAllTheirRows(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for _, name := range looktest.Fixtures() {
		d, rows := room.Fixture(t, name)
		tmpl, err := template.Parse(d.Name, d.Source, d.Assets)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		instead := 0
		for i, row := range rows {
			for _, size := range tmpl.Sizes() {
				shot, err := room.Shoot(t.Context(), d, look.View{Size: size.Name, Row: row})
				if err != nil {
					t.Fatalf("%s, row %d, %s: %v", name, i, size.Name, err)
				}
				instead += len(shot.Instead)
				for _, text := range shot.Texts {
					if text.Clipped {
						t.Errorf("%s, row %d, %s: %+v", name, i, size.Name, text)
					}
				}
				for _, w := range shot.Warnings {
					t.Logf("%s, row %d, %s: %+v", name, i, size.Name, w)
				}
				keep(t, fmt.Sprintf("%s-%s-row%d.png", name, size.Name, i), shot.PNG)
			}
		}
		if len(rows) < 4 || instead == 0 && name != "literal" {
			t.Errorf("%s has %d rows, %d missing pictures", name, len(rows), instead)
		}
	}
}

func keep(t *testing.T, name string, png []byte) {
	t.Helper()
	folder := os.Getenv("PICTIFYD_PICTURES")
	if folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name), png, 0o600); err != nil {
		t.Fatal(err)
	}
}
