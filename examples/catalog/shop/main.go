// Command shop is a small shop with a table of products in SQLite. It shows
// them at /, gives them as JSON at /products.json, and writes the URLs that
// pictifyd's webhook brings into the column image_url.
package main

import (
	"context"
	"database/sql"
	_ "embed" // the products and the page
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	_ "modernc.org/sqlite"
)

const secret = "whsec_Y2F0YWxvZy1leGFtcGxlLXNlY3JldA==" // as in pictifyd.yaml

const table = `CREATE TABLE IF NOT EXISTS products (
	sku TEXT PRIMARY KEY, name TEXT NOT NULL, category TEXT NOT NULL, material TEXT NOT NULL,
	price TEXT NOT NULL, stock INTEGER NOT NULL, image_url TEXT)`

// A product is a row of the table. Its image is not among what is given away:
// what we write is not a change of the product.
type product struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Material string `json:"material"`
	Price    string `json:"price"`
	Stock    int    `json:"stock"`
	ImageURL string `json:"-"`
}

type shop struct {
	db    *sql.DB
	hooks *standardwebhooks.Webhook
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run() error {
	folder, products := "examples/catalog/data", "examples/catalog/products.csv"
	if len(os.Args) > 2 {
		folder, products = os.Args[1], os.Args[2]
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", folder+"/shop.db")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if err := fill(context.Background(), db, products); err != nil {
		return fmt.Errorf("fill the table from %s: %w", products, err)
	}
	hooks, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	port := os.Getenv("SHOP_PORT")
	if port == "" {
		port = "8082"
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	fmt.Printf("the shop is at http://%s/\n", l.Addr())
	s := shop{db, hooks}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /products.json", s.list)
	mux.HandleFunc("POST /hooks/images", s.take)
	return (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(l)
}

// fill makes the table and, where it is empty, its products.
func fill(ctx context.Context, db *sql.DB, path string) error {
	if _, err := db.ExecContext(ctx, table); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return err
	}
	for _, r := range rows[1:] {
		_, err := db.ExecContext(ctx, `INSERT INTO products (sku, name, category, material, price, stock) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			r[0], r[1], r[2], r[3], r[4], r[5])
		if err != nil {
			return err
		}
	}
	return nil
}

func (s shop) products(ctx context.Context) (all []product, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT sku, name, category, material, price, stock, COALESCE(image_url, '') FROM products ORDER BY sku`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p product
		if err := rows.Scan(&p.SKU, &p.Name, &p.Category, &p.Material, &p.Price, &p.Stock, &p.ImageURL); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

func (s shop) list(w http.ResponseWriter, r *http.Request) {
	all, err := s.products(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"products": all})
}

// take writes the URL of a product's card to the product. The statement may run
// twice for one delivery and has one effect.
func (s shop) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err == nil {
		err = s.hooks.Verify(body, r.Header)
	}
	var hook struct {
		Event string
		Data  struct{ Key, URL string }
	}
	if err == nil {
		err = json.Unmarshal(body, &hook)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if hook.Event == "render.completed" {
		if _, err := s.db.ExecContext(r.Context(), `UPDATE products SET image_url = $1 WHERE sku = $2`, hook.Data.URL, hook.Data.Key); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

//go:embed page.html
var pageText string

var pageForm = template.Must(template.New("page").Parse(pageText))

func (s shop) page(w http.ResponseWriter, r *http.Request) {
	all, err := s.products(r.Context())
	if err == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err = pageForm.Execute(w, all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
	}
}
