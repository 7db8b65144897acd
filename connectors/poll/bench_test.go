package poll_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/connectors/poll"
)

// BenchmarkDecode decodes 10,000 rows of six columns.
func BenchmarkDecode(b *testing.B) {
	table, array := strings.Builder{}, strings.Builder{}
	table.WriteString("sku,name,price,stock,url,text\n")
	array.WriteString(`{"items":[`)
	for i := range 10_000 {
		fmt.Fprintf(&table, "%06d,Product %d,%d.99,%d,https://shop.example/%d.jpg,\"some words, and more\"\n", i, i, i, i%7, i)
		if i > 0 {
			array.WriteByte(',')
		}
		fmt.Fprintf(&array, `{"sku":"%06d","name":"Product %d","price":%d.99,"stock":%d,"url":"https://shop.example/%d.jpg","text":"some words, and more"}`, i, i, i, i%7, i)
	}
	array.WriteString(`]}`)
	for _, c := range []struct {
		layout poll.Layout
		text   string
	}{{asCSV, table.String()}, {asJSON("$.items"), array.String()}} {
		b.Run(c.layout.Format, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				d, err := c.layout.Decoder(c.layout.Format, strings.NewReader(c.text), nil)
				if err != nil {
					b.Fatal(err)
				}
				rows := 0
				for ; ; rows++ {
					if _, err := d.Next(); err != nil {
						break
					}
				}
				if rows != 10_000 {
					b.Fatalf("%d rows", rows)
				}
			}
		})
	}
}
