package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"time"

	_ "modernc.org/sqlite" // the shop's table

	"github.com/pictifyd/pictifyd/bench/server"
)

// catalog runs the shop and a daemon beside it, and measures from the daemon's
// start until every product has its URL.
func (b stories) catalog(ctx context.Context, rows int) (err error) {
	of := story{"catalog", "products.csv", rows, 1}
	dir, err := os.MkdirTemp("", "pictifyd-shop-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	port, end, err := openShop(ctx, dir, rows)
	if err != nil {
		return err
	}
	defer end()
	began := time.Now()
	s, err := server.StartExample(ctx, b.binary, "examples/catalog", func(string) error { return nil }, "SHOP_PORT="+port)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Stop()) }()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	for told := 0; told < rows; {
		if err := db.QueryRowContext(ctx, `SELECT count(*) FROM products WHERE image_url IS NOT NULL`).Scan(&told); err != nil {
			return fmt.Errorf("count the products with a URL: %w", err)
		}
		if time.Since(began) > limit {
			return fmt.Errorf("%d of %d products have a URL after %v", told, rows, limit)
		}
		time.Sleep(500 * time.Millisecond)
	}
	of.tell(time.Since(began))
	return nil
}

var shopAt = regexp.MustCompile(`http://127\.0\.0\.1:(\d+)/`)

// openShop runs the example's shop with so many products.
func openShop(ctx context.Context, dir string, rows int) (port string, end func(), err error) {
	program, products := filepath.Join(dir, "shop"), filepath.Join(dir, "products.csv")
	text, err := os.ReadFile("examples/catalog/products.csv")
	if err != nil {
		return "", nil, err
	}
	if err := errors.Join(os.WriteFile(products, text, 0o644), command(ctx, ".", nil, "go", "build", "-o", program, "./examples/catalog/shop")); err != nil {
		return "", nil, err
	}
	if err := grow(products, rows); err != nil {
		return "", nil, err
	}
	cmd := exec.Command(program, dir, products)
	cmd.Env, cmd.Stderr = append(os.Environ(), "SHOP_PORT=0"), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	at := shopAt.FindStringSubmatch(line)
	if at == nil {
		end()
		return "", nil, errors.Join(fmt.Errorf("the shop says %q", line), err)
	}
	return at[1], end, nil
}
