package daemon

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/render"
)

func TestEveryFormatOfTheEngineCanBeAskedFor(t *testing.T) {
	for _, f := range render.Formats {
		for _, word := range []string{string(f), f.Ext()} {
			outs, err := bindings.Outputs([]bindings.Output{{Encoding: bindings.Encoding{Format: word}}}, "outputs")
			if err != nil || outs[0].Format != string(f) {
				t.Errorf("%s: %+v, %v", word, outs, err)
			}
		}
	}
}

func TestEngineIsAskedForWhatTheOutputSays(t *testing.T) {
	second := config.Duration(time.Second)
	for _, c := range []struct {
		e    bindings.Encoding
		want render.Request
	}{
		{bindings.Encoding{}, render.Request{Format: render.PNG}},
		{
			bindings.Encoding{Format: "png", Quality: 5, Scale: 1.5, Transparent: true, Compression: "small", MaxBytes: 9000},
			render.Request{Format: render.PNG, Scale: 1.5, Transparent: true, Compression: render.Small, MaxBytes: 9000},
		},
		{bindings.Encoding{Format: "jpg", Scale: 2}, render.Request{Format: render.JPEG, Quality: bindings.DefaultQuality, Scale: 2}},
		{bindings.Encoding{Format: "webp", Quality: 7}, render.Request{Format: render.WebP, Quality: 7}},
		{bindings.Encoding{Format: "gif"}, render.Request{Format: render.GIF, Motion: render.Motion{FPS: bindings.DefaultFPS}}},
		{
			bindings.Encoding{Format: "webp", FPS: 9, Duration: 2 * second, Loops: 3},
			render.Request{Format: render.WebP, Quality: bindings.DefaultQuality, Motion: render.Motion{FPS: 9, Duration: 2 * time.Second, Loops: 3}},
		},
		{bindings.Encoding{Format: "pdf", Quality: 7, Scale: 1}, render.Request{Format: render.PDF}},
		{
			bindings.Encoding{Format: "pdf", Paper: "A4", Landscape: true, Margin: bindings.Margin{1, 2, 3, 4}, Title: "T"},
			render.Request{Format: render.PDF, Print: render.Print{Paper: "a4", Landscape: true, Margins: [4]float64{1, 2, 3, 4}, Title: "T"}},
		},
	} {
		var got render.Request
		encode(&got, c.e)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.e, diff)
		}
	}
}
