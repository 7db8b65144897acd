package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A source with for_each asks for the rows that another source has stored, and
// once more when that one has another row.
func TestRowsOfOneSourceAreAskedForAtAnother(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/customers/")
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `[{"number":"%s-1"},{"number":"%s-2"}]`, id, id)
	}))
	defer shop.Close()
	s := newSite(t, "")
	s.write("customers.csv", "id,name\na,Ada\nb,Bob\n")
	s.write("pictifyd.yaml", `
server: { listen: "127.0.0.1:0" }
templates: templates
sources:
  customers: { kind: file, path: customers.csv, key: id }
  orders: { kind: http, url: "`+shop.URL+`/customers/{{ row.id }}", key: number, for_each: customers, keep: [name], every: 1h }
`)
	p := s.start()
	orders := func(want int) func() bool {
		return func() bool {
			var got struct {
				Source struct {
					Reading struct {
						Rows     int
						Complete bool
						Reason   string
					}
				}
			}
			p.get("/sources/orders", &got)
			return got.Source.Reading.Rows == want && got.Source.Reading.Complete
		}
	}
	eventually(t, "the orders of two customers", orders(4))
	s.write("customers.csv", "id,name\na,Ada\nb,Bob\nc,Cid\n")
	eventually(t, "those of three", orders(6))
}
