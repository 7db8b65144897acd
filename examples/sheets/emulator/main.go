// Command emulator serves a CSV as a spreadsheet, over the API that Google
// Sheets has. It needs no account and no credentials. When the file is saved, the
// sheet has what it says; so has it what is written over the API, until then. Its first
// page, /, is the sheet as a CSV.
package main

import (
	"encoding/csv"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/connectors/sheets/sheetstest"
)

func main() {
	// The file, the spreadsheet's ID and the sheet's title, as in pictifyd.yaml.
	of := []string{"examples/sheets/events.csv", "1TalksOfTheWinterSeries", "Talks"}
	copy(of, os.Args[1:])
	if err := serve(of[0], of[1], of[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(path, spreadsheet, title string) error {
	e := sheetstest.New(sheetstest.Options{Anonymous: true})
	t := &table{path: path, sheet: e.Add(spreadsheet, title).AddSheet(title)}
	if err := t.load(); err != nil {
		return err
	}
	port := os.Getenv("SHEETS_PORT")
	if port == "" {
		port = "8083"
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		return err
	}
	fmt.Printf("%s is the sheet %s of http://%s/v4/spreadsheets/%s\n", path, title, l.Addr(), spreadsheet)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := t.load(); err != nil {
			fmt.Fprintln(os.Stderr, err) // the sheet stays as it was
		}
		if r.URL.Path == "/" { // for people, beside the API and its quotas
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_ = csv.NewWriter(w).WriteAll(t.sheet.Rows())
			return
		}
		e.ServeHTTP(w, r)
	})}
	return server.Serve(l)
}

// A table is a file, and the sheet that shows it.
type table struct {
	path  string
	sheet *sheetstest.Sheet

	mu    sync.Mutex
	saved time.Time
}

// load reads the file if it was saved since it was read last.
func (t *table) load() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	info, err := os.Stat(t.path)
	if err != nil || info.ModTime().Equal(t.saved) {
		return err
	}
	f, err := os.Open(t.path)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := sheetstest.ReadCSV(f)
	if err != nil {
		return err
	}
	t.sheet.Set(rows...)
	t.saved = info.ModTime()
	return nil
}
