package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A Batch is a file of rows that a daemon shall make images of.
type Batch struct {
	Template string
	Path     string                     // .csv, .tsv, .xlsx, .ndjson, .jsonl or .json
	Options  map[string]json.RawMessage // fields of the request beside the rows, as the API names them
	Again    bool                       // a new job, also where the same file has made one
}

// media is the type of a file by its extension.
var media = map[string]string{
	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".json": "application/json",
}

// Send has the batch accepted and returns its job. It is sent again until patience
// is over where the connection breaks or the daemon has no room; the same file
// with the same options is accepted once, so that what is sent again finds its job.
func (b Batch) Send(ctx context.Context, r Remote, patience time.Duration) (job string, err error) {
	kind, known := media[strings.ToLower(filepath.Ext(b.Path))]
	if !known {
		return "", problem.New(problem.Invalid, "%s has no extension of a file with rows", b.Path).
			WithHint("the extensions are %s", strings.Join(slices.Sorted(maps.Keys(media)), ", "))
	}
	key, err := b.key()
	if err != nil {
		return "", err
	}
	header := http.Header{"Content-Type": {kind}, "Idempotency-Key": {key}}
	err = persist(ctx, patience, func() error {
		job, err = b.send(ctx, r, header)
		return err
	})
	return job, err
}

func (b Batch) send(ctx context.Context, r Remote, header http.Header) (string, error) {
	file, err := open(b.Path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	body, query, err := b.body(file, header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	path := "/templates/" + url.PathEscape(b.Template) + "/batch-render" + query
	res, err := r.Do(ctx, http.MethodPost, path, header, body)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, refusalSize))
	if err != nil {
		return "", r.cut(err)
	}
	var accepted struct {
		JobID string `json:"jobId"`
	}
	if err := r.Decode(data, &accepted); err != nil {
		return "", err
	}
	return accepted.JobID, nil
}

// body is the file as it is sent: options of a table stand in the query, those of
// a JSON list beside it.
func (b Batch) body(file *os.File, kind string) (body io.Reader, query string, err error) {
	if kind != media[".json"] {
		values := url.Values{}
		for name, value := range b.Options {
			text := string(value)
			if json.Unmarshal(value, &text) != nil { // not a text: it stands as JSON
				text = string(value)
			}
			values.Set(name, text)
		}
		if len(values) > 0 {
			query = "?" + values.Encode()
		}
		return file, query, nil
	}
	in := bufio.NewReader(file)
	list, err := isList(in)
	if err != nil {
		return nil, "", problem.New(problem.Invalid, "read %s: %w", b.Path, err)
	}
	if !list {
		if len(b.Options) > 0 {
			return nil, "", problem.New(problem.Invalid, "%s is a whole request, and options beside it would not count", b.Path).
				WithHint("write them into it, or give a list of rows")
		}
		return in, "", nil
	}
	var rest bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(b.Options)) {
		fmt.Fprintf(&rest, ",%q:%s", name, b.Options[name])
	}
	rest.WriteByte('}')
	return io.MultiReader(strings.NewReader(`{"variables":`), in, &rest), "", nil
}

// isList reports whether JSON begins with a list. It reads only what is before it.
func isList(in *bufio.Reader) (bool, error) {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return false, err
		}
		if !strings.ContainsRune(" \t\r\n\uFEFF", rune(c)) && c < 0x80 {
			return c == '[', in.UnreadByte()
		}
	}
}

// key names the request: the same file and options are the same.
func (b Batch) key() (string, error) {
	file, err := open(b.Path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	options, err := json.Marshal(b.Options)
	if err != nil {
		return "", fmt.Errorf("encode the options: %w", err)
	}
	fmt.Fprintf(sum, "%s\n%s\n", b.Template, options)
	if b.Again {
		fmt.Fprintln(sum, time.Now().UnixNano())
	}
	if _, err := io.Copy(sum, file); err != nil {
		return "", problem.New(problem.Invalid, "read %s: %w", b.Path, err)
	}
	return "file-" + hex.EncodeToString(sum.Sum(nil)), nil
}

func open(path string) (*os.File, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, problem.New(problem.Invalid, "read the rows: %w", err)
	}
	return file, err
}

var backoff = retry.Backoff{Base: 500 * time.Millisecond, Max: 10 * time.Second}

// persist does what may break off until it succeeds, fails for good, or has not
// succeeded within patience.
func persist(ctx context.Context, patience time.Duration, do func() error) error {
	end := time.Now().Add(patience)
	for n := 1; ; n++ {
		err := do()
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		wait, asked := retry.Wait(err)
		if !asked {
			wait = backoff.Next(n)
		}
		if time.Now().Add(wait).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// passes reports whether err may be over by itself.
func passes(err error) bool {
	switch problem.CodeOf(err) {
	case problem.Upstream, problem.Timeout, problem.Overloaded:
		return true
	}
	return false
}
