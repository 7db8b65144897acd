package render

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAPageLiesOnItsPaper(t *testing.T) {
	type placed struct {
		Paper            [2]float64
		Scale, Left, Top float64
	}
	for name, tt := range map[string]struct {
		print         Print
		width, height int
		want          placed
	}{
		"its own size":                  {Print{}, 1200, 630, placed{[2]float64{1200, 630}, 1, 0, 0}},
		"its own size and margins":      {Print{Margins: [4]float64{1, 2, 3, 4}}, 100, 50, placed{[2]float64{106, 54}, 1, 4, 1}},
		"lying, of its own size":        {Print{Landscape: true}, 100, 50, placed{[2]float64{100, 50}, 1, 0, 0}},
		"smaller than the paper":        {Print{Paper: "letter"}, 400, 300, placed{[2]float64{816, 1056}, 1, 208, 378}},
		"larger than the paper":         {Print{Paper: "letter"}, 1632, 1056, placed{[2]float64{816, 1056}, 0.5, 0, 264}},
		"larger than the margins leave": {Print{Paper: "letter", Margins: [4]float64{96, 48, 0, 48}}, 720, 1920, placed{[2]float64{816, 1056}, 0.5, 228, 96}},
		"on its side":                   {Print{Paper: "letter", Landscape: true}, 1056, 816, placed{[2]float64{1056, 816}, 1, 0, 0}},
		"of 150 dots per inch on A4":    {Print{Paper: "a4"}, 1240, 1754, placed{[2]float64{793.7007874, 1122.519685}, 0.639984, 0.064644, 0}},
	} {
		var got placed
		got.Paper, got.Scale, got.Left, got.Top = tt.print.Place(tt.width, tt.height)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(0, 1e-5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestPrintsThatMakeNoSenseAreRefused(t *testing.T) {
	for want, p := range map[string]Print{
		"":                                 {Paper: "a5", Landscape: true, Margins: [4]float64{10, 10, 10, 10}, Title: "Ärger"},
		`there is no paper "A4"`:           {Paper: "A4"},
		"margin of -1 pixels":              {Margins: [4]float64{0, -1, 0, 0}},
		"margin of NaN pixels":             {Margins: [4]float64{0, math.NaN(), 0, 0}},
		"margin of +Inf pixels":            {Margins: [4]float64{0, 0, math.Inf(1), 0}},
		"leave nothing of the paper":       {Paper: "a6", Margins: [4]float64{0, 200, 0, 200}},
		"leave nothing of the paper, ":     {Paper: "a6", Landscape: true, Margins: [4]float64{200, 0, 200, 0}},
		"the title is not text":            {Title: "\xff"},
		"the title is not text of at most": {Title: strings.Repeat("x", 1001)},
	} {
		err := p.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: got %v, want %q", p, err, want)
		}
	}
}
