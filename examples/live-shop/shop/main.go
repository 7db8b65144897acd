// Command shop is a small shop with an API, as many have it: GET /products gives
// the products page by page, GET /products/SKU one of them, and PUT
// /products/SKU/price changes a price. Each asks for a key.
package main

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

const pageSize = 10

// A product is what the shop sells.
type product struct {
	SKU   string      `json:"sku"`
	Name  string      `json:"name"`
	Maker string      `json:"maker"`
	Price json.Number `json:"price"`
	Stock json.Number `json:"stock"`
}

type shop struct {
	key string

	mu       sync.Mutex
	products []product // by their SKU
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run() error {
	path := "examples/live-shop/products.csv"
	if len(os.Args) > 1 {
		path = os.Args[1]
	}
	products, err := read(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+cmp.Or(os.Getenv("SHOP_PORT"), "8083"))
	if err != nil {
		return err
	}
	fmt.Printf("the shop is at http://%s/\n", l.Addr())
	s := &shop{key: cmp.Or(os.Getenv("SHOP_KEY"), "open-sesame"), products: products}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /products", s.list)
	mux.HandleFunc("GET /products/{sku}", s.show)
	mux.HandleFunc("PUT /products/{sku}/price", s.price)
	return (&http.Server{Handler: s.guard(mux), ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

func read(path string) ([]product, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	var all []product
	for _, r := range rows[1:] {
		all = append(all, product{SKU: r[0], Name: r[1], Maker: r[2], Price: json.Number(r[3]), Stock: json.Number(r[4])})
	}
	slices.SortFunc(all, bySKU)
	return all, nil
}

func bySKU(a, b product) int { return cmp.Compare(a.SKU, b.SKU) }

func (s *shop) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != s.key {
			http.Error(w, "the shop's API wants its key as X-Api-Key", http.StatusUnauthorized)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// list gives a page: the products behind the cursor, and the cursor of the next one.
func (s *shop) list(w http.ResponseWriter, r *http.Request) {
	size, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || size < 1 || size > pageSize {
		size = pageSize
	}
	begin, found := slices.BinarySearchFunc(s.products, product{SKU: r.URL.Query().Get("cursor")}, bySKU)
	if found {
		begin++
	}
	page := s.products[begin:min(begin+size, len(s.products))]
	var next *string
	if begin+size < len(s.products) {
		next = &page[len(page)-1].SKU
	}
	answer(w, map[string]any{"products": page, "next": next})
}

func (s *shop) find(w http.ResponseWriter, r *http.Request) *product {
	at, found := slices.BinarySearchFunc(s.products, product{SKU: r.PathValue("sku")}, bySKU)
	if !found {
		http.Error(w, "the shop does not sell that", http.StatusNotFound)
		return nil
	}
	return &s.products[at]
}

func (s *shop) show(w http.ResponseWriter, r *http.Request) {
	if p := s.find(w, r); p != nil {
		answer(w, p)
	}
}

func (s *shop) price(w http.ResponseWriter, r *http.Request) {
	p := s.find(w, r)
	if p == nil {
		return
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, 20))
	if _, isNumber := strconv.ParseFloat(string(text), 64); err != nil || isNumber != nil {
		http.Error(w, "a price is a number, as in 19.90", http.StatusBadRequest)
		return
	}
	p.Price = json.Number(text)
	answer(w, p)
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // whoever went away does not hear it
}
