package check_test

import (
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/copilot/looktest"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/template"
)

// Each row is looked at in one size, in turn, and the first one in all of them.
func TestNothingIsWrongWithTheStarters(t *testing.T) {
	if campaign.Leaves(t) { // Chrome draws, and every pixel is looked at
		return
	}
	room := looktest.Open(t)
	for i, name := range looktest.Starters() {
		if !campaign.Takes(i, 4) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d, rows := room.Starter(t, name)
			form := mustParse(t, d)
			var sizes []string
			for _, s := range form.Sizes() {
				sizes = append(sizes, s.Name)
			}
			of := make([][]check.Row, len(sizes))
			for i, values := range rows {
				row := check.Row{Name: fmt.Sprintf("row %d", i), Values: values}
				for k := range sizes {
					if i == 0 || i%len(sizes) == k {
						of[k] = append(of[k], row)
					}
				}
			}
			for k, size := range sizes {
				for _, f := range document(t, room, d, check.Options{Sizes: []string{size}, Rows: of[k]}) {
					if f.Level == check.Error {
						t.Errorf("%s, %s %s, %s: %s: %s", f.Layer, f.Size, f.Theme, f.Row, f.Code, f.Message)
					}
				}
			}
		})
	}
}

func mustParse(tb testing.TB, d look.Doc) *template.Template {
	tb.Helper()
	form, err := template.Parse(d.Name, d.Source, d.Assets)
	if err != nil {
		tb.Fatal(err)
	}
	return form
}

// A view is drawn three or four times, and looked at.
func BenchmarkDocument(b *testing.B) {
	room := looktest.Open(b)
	d, rows := room.Starter(b, "product-card")
	form := mustParse(b, d)
	o := check.Options{Rows: check.Hardest(form, rows, 2)}
	views := len(form.Sizes()) * (1 + len(form.Themes())) * len(o.Rows)
	for b.Loop() {
		if _, err := check.Document(b.Context(), room, d, o); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*views), "ms/view")
}

func BenchmarkContrast(b *testing.B) {
	room := looktest.Open(b)
	d, rows := room.Starter(b, "product-card")
	for b.Loop() {
		if _, err := check.Contrast(b.Context(), room, d, look.View{Row: rows[0]}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/view")
}
