package element

import (
	"testing"

	"github.com/pictifyd/pictifyd/expr"
)

func BenchmarkMarkup(b *testing.B) {
	for _, s := range samples {
		b.Run(s.name, func(b *testing.B) {
			e, data := s.data(b)
			b.ReportAllocs()
			size := 0
			for b.Loop() {
				size = len(e.Markup(data))
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}

func BenchmarkData(b *testing.B) {
	for _, s := range samples {
		b.Run(s.name, func(b *testing.B) {
			e := mustNew(b, s.kind, s.options)
			value := mustValue(b, s.value)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Data(value, nil, expr.Env{Now: noon, Locale: s.locale}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
